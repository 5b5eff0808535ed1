fn clauses() {
    let graph = {
        use ::fusion::__private::{SeenByCopy as _, SeenByRef as _};
        use ::fusion::__private::{AscribedDeclared as _, AscribedUndeclared as _};
        use ::fusion::__private::{ItemsByCopy as _, ItemsByRef as _};
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        pub struct Answers<one, all, late, two> {
            pub one: one,
            pub all: all,
            pub late: late,
            pub two: two,
        }
        async |
            caller: ::fusion::__private::Caller,
        | -> ::fusion::__private::Result<
            Answers<_, _, _, _>,
            ::fusion::__private::CallError,
        > {
            match ::fusion::__private::topic::<
                <<::fusion::__private::TopicId<
                    0xa68d621eed8b5822836dbc7977a75c0cu128,
                > as ::fusion::__private::Declared<
                    _,
                >>::Contract as ::fusion::__private::Contract>::Least,
            >()
                .asked()
            {
                t_one => {
                    match ::fusion::__private::topic::<
                        <negate as ::fusion::__private::Contract>::Least,
                    >()
                        .asked()
                    {
                        t_all => {
                            match {
                                (&&::fusion::__private::Ascribed::<
                                    0xc7a9d9c00c83d94f70816942a67b5df0u128,
                                    bool,
                                >::new(::fusion::__private::TopicId, "touch"))
                                    .topic()
                            }
                                .answers::<bool>()
                                .asked()
                            {
                                t_late => {
                                    match ::fusion::__private::topic::<
                                        <<::fusion::__private::TopicId<
                                            0x26d6a03ada659bafa594dd0ff1e7ec59u128,
                                        > as ::fusion::__private::Declared<
                                            _,
                                        >>::Contract as ::fusion::__private::Contract>::Least,
                                    >()
                                        .asked()
                                    {
                                        t_two => {
                                            let s_one = t_one.one("one");
                                            let s_all = t_all.maybe_each("all");
                                            let s_late = t_late.one("late");
                                            let s_two = t_two.one("two");
                                            {
                                                let n_one = ::fusion::__private::node(
                                                    &s_one,
                                                    async {
                                                        ::fusion::__private::or(
                                                            {
                                                                let mut args = caller.args();
                                                                t_one.at::<0usize>().put(&mut args, &(1));
                                                                t_one
                                                                    .spread(
                                                                        &mut args,
                                                                        (&&::fusion::__private::Items(&(order.items))).items(),
                                                                    );
                                                                caller.ask(t_one, args, s_one.terms(0)).await
                                                            },
                                                            || 0,
                                                        )
                                                    },
                                                );
                                                let n_all = ::fusion::__private::node(
                                                    &s_all,
                                                    async {
                                                        #[allow(unused_variables)]
                                                        let one = (&&::fusion::__private::Seen(s_one.get().await?))
                                                            .seen();
                                                        #[allow(unused_variables)]
                                                        let one = (&&::fusion::__private::Seen(s_one.get().await?))
                                                            .seen();
                                                        if (one > 5) {
                                                            ::fusion::__private::some({
                                                                ::fusion::__private::each(
                                                                        (&&::fusion::__private::Items(&(order.items))).items(),
                                                                        |n, item| {
                                                                            let mut args = caller.args();
                                                                            t_all.at::<0usize>().put(&mut args, &(item));
                                                                            t_all.at::<1usize>().put(&mut args, &(one));
                                                                            t_all.enough::<2usize>();
                                                                            caller
                                                                                .ask(
                                                                                    t_all,
                                                                                    args,
                                                                                    s_all.terms(1).within(2000).retry(3).item(n),
                                                                                )
                                                                        },
                                                                    )
                                                                    .await
                                                            })
                                                        } else {
                                                            ::fusion::__private::none()
                                                        }
                                                    },
                                                );
                                                let n_late = ::fusion::__private::node(
                                                    &s_late,
                                                    async {
                                                        s_all.get().await?;
                                                        let mut args = caller.args();
                                                        t_late.enough::<0usize>();
                                                        caller.ask(t_late, args, s_late.terms(2)).await
                                                    },
                                                );
                                                let n_two = ::fusion::__private::node(
                                                    &s_two,
                                                    async {
                                                        let i_0 = (&&::fusion::__private::Seen(s_one.get().await?))
                                                            .seen();
                                                        let i_1 = (&&::fusion::__private::Seen(s_late.get().await?))
                                                            .seen();
                                                        let mut args = caller.args();
                                                        t_two
                                                            .args(
                                                                &mut args,
                                                                &::fusion::__private::Cons::cons(
                                                                    twice(((&&::fusion::__private::Seen(&(2))).seen(),), i_0),
                                                                    i_1,
                                                                ),
                                                            );
                                                        caller.ask(t_two, args, s_two.terms(3)).await
                                                    },
                                                );
                                                ::fusion::__private::join(
                                                        ::fusion::__private::join(n_one, n_all),
                                                        ::fusion::__private::join(n_late, n_two),
                                                    )
                                                    .await
                                            }?;
                                            ::fusion::__private::Ok(Answers {
                                                one: s_one.into_value()?,
                                                all: s_all.into_value()?,
                                                late: s_late.into_value()?,
                                                two: s_two.into_value()?,
                                            })
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
}
