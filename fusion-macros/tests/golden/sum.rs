/// Adds and subtracts.
async fn sum(order: Order, one: i64, two: i64) -> Report {
    Report {
        order: order.id,
        one,
        two,
    }
}
/// Adds and subtracts.
#[allow(non_camel_case_types, dead_code, missing_docs)]
struct sum {}
const _: () = {
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl ::fusion::__private::Contract for sum {
        const TOPIC: &'static str = "sum";
        const WAITS_FOR_ANSWERS: usize = 1
            + ::fusion::__private::deeper(
                {
                    const fn depth<L: ::fusion::__private::Of>() -> usize {
                        <L::Contract as ::fusion::__private::Contract>::WAITS_FOR_ANSWERS
                    }
                    depth::<
                        <<::fusion::__private::TopicId<
                            0xa68d621eed8b5822836dbc7977a75c0cu128,
                        > as ::fusion::__private::Declared<
                            _,
                        >>::Contract as ::fusion::__private::Contract>::Least,
                    >()
                },
                {
                    const fn depth<L: ::fusion::__private::Of>() -> usize {
                        <L::Contract as ::fusion::__private::Contract>::WAITS_FOR_ANSWERS
                    }
                    depth::<
                        <<::fusion::__private::TopicId<
                            0x26d6a03ada659bafa594dd0ff1e7ec59u128,
                        > as ::fusion::__private::Declared<
                            _,
                        >>::Contract as ::fusion::__private::Contract>::Least,
                    >()
                },
            );
        type Params = (Order,);
        type Reply = Report;
        type Least = ::fusion::__private::Least<Self, 1usize>;
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl ::fusion::__private::Answers for sum {}
    const _: () = {
        #[allow(non_camel_case_types, missing_docs, unreachable_pub)]
        struct sum {}
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::fusion::__private::Contract for sum {
            const TOPIC: &'static str = "sum";
            const WAITS_FOR_ANSWERS: usize = 1
                + ::fusion::__private::deeper(
                    {
                        const fn depth<L: ::fusion::__private::Of>() -> usize {
                            <L::Contract as ::fusion::__private::Contract>::WAITS_FOR_ANSWERS
                        }
                        depth::<
                            <<::fusion::__private::TopicId<
                                0xa68d621eed8b5822836dbc7977a75c0cu128,
                            > as ::fusion::__private::Declared<
                                _,
                            >>::Contract as ::fusion::__private::Contract>::Least,
                        >()
                    },
                    {
                        const fn depth<L: ::fusion::__private::Of>() -> usize {
                            <L::Contract as ::fusion::__private::Contract>::WAITS_FOR_ANSWERS
                        }
                        depth::<
                            <<::fusion::__private::TopicId<
                                0x26d6a03ada659bafa594dd0ff1e7ec59u128,
                            > as ::fusion::__private::Declared<
                                _,
                            >>::Contract as ::fusion::__private::Contract>::Least,
                        >()
                    },
                );
            type Params = (Order,);
            type Reply = Report;
            type Least = ::fusion::__private::Least<Self, 1usize>;
        }
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::fusion::__private::Answers for sum {}
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::fusion::__private::Declared<sum>
        for ::fusion::__private::TopicId<0xa68db5f6b88b5822836dbc799a77f8b8u128> {
            type Contract = sum;
        }
        const fn only_one_contract_may_declare_sum<M>()
        where
            ::fusion::__private::TopicId<
                0xa68db5f6b88b5822836dbc799a77f8b8u128,
            >: ::fusion::__private::Declared<M>,
        {}
        const _: () = only_one_contract_may_declare_sum();
        const _: usize = <sum as ::fusion::__private::Contract>::WAITS_FOR_ANSWERS;
    };
    #[automatically_derived]
    impl ::fusion::__private::Reactor for sum {
        type Contract = sum;
        type Payload = (Order,);
        type HandIns = ::fusion::__private::Calls<()>;
        type Value = Report;
        type Needs = ();
        const SPEC: ::fusion::__private::ReactorSpec = ::fusion::__private::ReactorSpec {
            asks: &["add", "subtract"],
            ..::fusion::__private::ReactorSpec::new(
                "sum",
                <sum as ::fusion::__private::Contract>::TOPIC,
            )
        };
        fn read<'de, __D: ::fusion::__private::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::fusion::__private::Result<Self::Payload, __D::Error> {
            ::fusion::__private::read_1::<Order, _>(deserializer)
        }
        fn run(
            payload: Self::Payload,
            hand_ins: Self::HandIns,
        ) -> impl ::core::future::Future<
            Output = ::fusion::__private::Result<
                Self::Value,
                ::fusion::__private::Failure,
            >,
        > + ::core::marker::Send + 'static {
            use ::fusion::__private::{SeenByCopy as _, SeenByRef as _};
            async move {
                let handler = sum;
                let (order,) = payload;
                let ::fusion::__private::Calls(caller, ()) = hand_ins;
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
                                let s_two = t_two.one("two");
                                let k_one = s_one.taken_as::<i64>();
                                let k_two = s_two.taken_as::<i64>();
                                ::fusion::__private::ran({
                                    let n_one = ::fusion::__private::node(
                                        &s_one,
                                        async {
                                            let mut args = caller.args();
                                            t_one.at::<0usize>().put(&mut args, &(1));
                                            t_one.at::<1usize>().put(&mut args, &(2));
                                            t_one.at::<2usize>().put(&mut args, &(3));
                                            t_one.enough::<3usize>();
                                            caller.ask(t_one, args, s_one.terms(0)).await
                                        },
                                    );
                                    let n_two = ::fusion::__private::node(
                                        &s_two,
                                        async {
                                            let i_0 = (&&::fusion::__private::Seen(s_one.get().await?))
                                                .seen();
                                            let mut args = caller.args();
                                            t_two.at::<0usize>().put(&mut args, &i_0);
                                            t_two.at::<1usize>().put(&mut args, &(2));
                                            t_two.enough::<2usize>();
                                            caller.ask(t_two, args, s_two.terms(1)).await
                                        },
                                    );
                                    ::fusion::__private::join(n_one, n_two).await
                                })?;
                                ::fusion::__private::Ok(
                                    handler(order, k_one.take(s_one)?, k_two.take(s_two)?).await,
                                )
                            }
                        }
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::fusion::__private::Produces for sum {
        type Produced = <Self as ::fusion::__private::Reactor>::Value;
    }
    const _: () = ::fusion::__private::refuse(
        ::fusion::__private::Is::<Order>::LIST,
        "`Order` hides a `Vec`: write `Vec<..>`, so that it is seen that the topic takes a list",
    );
    const _: () = ::fusion::__private::refuse(
        ::fusion::__private::Is::<Order>::OPTION,
        "`Order` hides an `Option`: write `Option<..>`, so that it is seen that it may be left out",
    );
    const _: () = ::fusion::__private::refuse(
        ::fusion::__private::Is::<Report>::RESULT,
        "`Report` hides a `Result`: write `Result<..>`, so that errors become error replies",
    );
    use ::fusion::__private::Plain as _;
};
