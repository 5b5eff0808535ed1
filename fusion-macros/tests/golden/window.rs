async fn approve(
    id: Key<Uuid>,
    #[allow(unused_variables)]
    triggers: Vec<Trigger>,
    orders: Latest,
    price: f64,
) -> Option<Approval> {
    Approval::of(*id, triggers, orders, price)
}
#[allow(non_camel_case_types, dead_code, missing_docs)]
struct approve {}
const _: () = {
    #[allow(unused_imports)]
    use ::fusion::__private::window::GathersNot as _;
    #[allow(non_camel_case_types)]
    type triggers_gathered_by_approve = <::fusion::__private::window::Parameter<
        { ::fusion::__private::window::Taker::<Vec<Trigger>>::GATHERS },
    > as ::fusion::__private::window::Of<Vec<Trigger>>>::Gatherer;
    #[allow(non_camel_case_types)]
    type orders_gathered_by_approve = <::fusion::__private::window::Parameter<
        { ::fusion::__private::window::Taker::<Latest>::GATHERS },
    > as ::fusion::__private::window::Of<Latest>>::Gatherer;
    #[allow(non_camel_case_types, missing_docs)]
    pub struct gathered_by_approve {
        triggers: <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::Held,
        orders: <orders_gathered_by_approve as ::fusion::__private::window::Gathers>::Held,
    }
    #[allow(non_camel_case_types, missing_docs)]
    pub enum item_of_approve {
        triggers(
            <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
        ),
        orders(
            <orders_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
        ),
    }
    #[automatically_derived]
    impl ::core::default::Default for gathered_by_approve {
        fn default() -> Self {
            Self {
                triggers: ::core::default::Default::default(),
                orders: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl ::fusion::__private::window::Gathered for gathered_by_approve {
        type Item = item_of_approve;
        fn add(
            &mut self,
            item: item_of_approve,
            place: &::fusion::__private::window::Place,
            cx: &::fusion::__private::window::Context,
        ) {
            match item {
                item_of_approve::triggers(item) => {
                    <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::add(
                        &mut self.triggers,
                        item,
                        place,
                        cx,
                    )
                }
                item_of_approve::orders(item) => {
                    <orders_gathered_by_approve as ::fusion::__private::window::Gathers>::add(
                        &mut self.orders,
                        item,
                        place,
                        cx,
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for item_of_approve {
        fn clone(&self) -> Self {
            match self {
                item_of_approve::triggers(item) => {
                    item_of_approve::triggers(
                        <triggers_gathered_by_approve as ::fusion::__private::window::Overlaps>::copy(
                            item,
                        ),
                    )
                }
                item_of_approve::orders(item) => {
                    item_of_approve::orders(
                        <orders_gathered_by_approve as ::fusion::__private::window::Overlaps>::copy(
                            item,
                        ),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl ::fusion::__private::window::WindowReactor for approve {
        type Gathered = gathered_by_approve;
        type Strategy = ::fusion::__private::window::Hopping;
        type HandIns = ::fusion::__private::Calls<(Key<Uuid>,)>;
        type Value = Option<Approval>;
        type Needs = ();
        const SPEC: ::fusion::__private::window::WindowSpec = ::fusion::__private::window::WindowSpec {
            emit: ::fusion::__private::window::Emit::Updates,
            idle: ::fusion::__private::None,
            asks: &["price"],
            to: ::fusion::__private::Some("approvals"),
            optional: true,
            ..::fusion::__private::window::WindowSpec::new(
                "approve",
                &[
                    "brake",
                    <services::lidar as ::fusion::__private::Contract>::TOPIC,
                    "orders",
                ],
                ::fusion::__private::window::Kind::Hopping {
                    size: ::core::time::Duration::from_millis(30000),
                    advance: ::core::time::Duration::from_millis(10000),
                },
                ::core::time::Duration::from_millis(2000),
            )
        };
        #[allow(clippy::redundant_closure, clippy::redundant_closure_for_method_calls)]
        fn read(
            topic: usize,
            value: ::fusion::__private::window::Unread<'_>,
            time: ::core::option::Option<i64>,
        ) -> ::fusion::__private::Result<
            ::fusion::__private::window::Read<Self>,
            ::fusion::__private::Failure,
        > {
            use ::fusion::__private::{AscribedDeclared as _, AscribedUndeclared as _};
            use ::fusion::__private::window::{TakerKnown as _, TakerUnknown as _};
            let t_0 = (&&::fusion::__private::Ascribed::<
                0x59f7f2f80383d94f70814e917f88bb00u128,
                <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
            >::new(::fusion::__private::TopicId, "brake"))
                .topic();
            let t_1 = ::fusion::__private::topic::<
                <services::lidar as ::fusion::__private::Contract>::Least,
            >();
            let t_2 = (&&::fusion::__private::Ascribed::<
                0x1649593a2e3c64bf6eee83a12169a874u128,
                <orders_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
            >::new(::fusion::__private::TopicId, "orders"))
                .topic();
            let records = ::fusion::__private::window::records(t_0);
            (&&::fusion::__private::window::Taker::<Vec<Trigger>>::new())
                .gathers(&records);
            records.also(::fusion::__private::window::records(t_1));
            let records = ::fusion::__private::window::records(t_2);
            (&&::fusion::__private::window::Taker::<Latest>::new()).gathers(&records);
            let item = match topic {
                0 => {
                    item_of_approve::triggers(
                        ::fusion::__private::window::read::<
                            _,
                            <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
                        >(t_0, value)?,
                    )
                }
                1 => {
                    item_of_approve::triggers(
                        ::fusion::__private::window::read::<
                            _,
                            <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
                        >(t_1, value)?,
                    )
                }
                2 => {
                    item_of_approve::orders(
                        ::fusion::__private::window::read::<
                            _,
                            <orders_gathered_by_approve as ::fusion::__private::window::Gathers>::Item,
                        >(t_2, value)?,
                    )
                }
                topic => {
                    return ::fusion::__private::Err(
                        ::fusion::__private::window::stranger(topic),
                    );
                }
            };
            let kind = ::fusion::__private::window::KeyType::<Uuid>::new();
            let v_1;
            let (key, time) = match &item {
                item_of_approve::triggers(item) => {
                    ::fusion::__private::window::gathers::<Vec<Trigger>>();
                    let item = (&&::fusion::__private::window::Taker::<
                        Vec<Trigger>,
                    >::new())
                        .record(item);
                    let key = &item.id;
                    (kind.of(key), time)
                }
                item_of_approve::orders(item) => {
                    ::fusion::__private::window::gathers::<Latest>();
                    let item = (&&::fusion::__private::window::Taker::<Latest>::new())
                        .record(item);
                    let key = {
                        v_1 = ::fusion::__private::window::of(
                            item,
                            |order| order.id.clone(),
                        );
                        &v_1
                    };
                    (kind.of(key), ::fusion::__private::window::millis(&item.time))
                }
            };
            let key = {
                use ::fusion::__private::window::{TakenKey as _, TakenNoKey as _};
                (&&kind).taken(key)
            };
            ::fusion::__private::Ok(::fusion::__private::window::Read {
                item,
                key,
                time,
            })
        }
        fn copy(
            gathered: &gathered_by_approve,
        ) -> ::core::option::Option<gathered_by_approve> {
            use ::fusion::__private::window::{CopiedClone as _, CopiedNot as _};
            ::fusion::__private::Some(gathered_by_approve {
                triggers: (&&::fusion::__private::window::Copied(&gathered.triggers))
                    .copy()?,
                orders: <orders_gathered_by_approve as ::fusion::__private::window::Repeats>::copy(
                    &gathered.orders,
                ),
            })
        }
        fn run(
            gathered: Self::Gathered,
            hand_ins: Self::HandIns,
        ) -> impl ::core::future::Future<
            Output = ::fusion::__private::Result<
                Self::Value,
                ::fusion::__private::Failure,
            >,
        > + ::core::marker::Send + 'static {
            async move {
                let handler = approve;
                let triggers = ::fusion::__private::window::Gives::<
                    Vec<Trigger>,
                >::give(
                    <triggers_gathered_by_approve as ::fusion::__private::window::Gathers>::hand_over(
                        gathered.triggers,
                    ),
                );
                let orders = ::fusion::__private::window::Gives::<
                    Latest,
                >::give(
                    <orders_gathered_by_approve as ::fusion::__private::window::Gathers>::hand_over(
                        gathered.orders,
                    ),
                );
                let ::fusion::__private::Calls(caller, (id,)) = hand_ins;
                match ::fusion::__private::topic::<
                    <<::fusion::__private::TopicId<
                        0xf786cb20e183d94f70817529f7c699cau128,
                    > as ::fusion::__private::Declared<
                        _,
                    >>::Contract as ::fusion::__private::Contract>::Least,
                >()
                    .asked()
                {
                    t_price => {
                        let s_price = t_price.one("price");
                        let k_price = s_price.taken_as::<f64>();
                        ::fusion::__private::ran({
                            let n_price = ::fusion::__private::node(
                                &s_price,
                                async {
                                    let mut args = caller.args();
                                    t_price.at::<0usize>().put(&mut args, &(triggers.len()));
                                    t_price.enough::<1usize>();
                                    caller.ask(t_price, args, s_price.terms(0)).await
                                },
                            );
                            n_price.await
                        })?;
                        ::fusion::__private::Ok(
                            handler(id, triggers, orders, k_price.take(s_price)?).await,
                        )
                    }
                }
            }
        }
    }
    #[automatically_derived]
    impl ::fusion::__private::Produces for approve {
        type Produced = Approval;
    }
    const _: fn() = || {
        use ::fusion::__private::{AscribedDeclared as _, AscribedUndeclared as _};
        match {
            (&&::fusion::__private::Ascribed::<
                0x6965e577bc0618b410510adca730debfu128,
                (),
            >::new(::fusion::__private::TopicId, "approvals"))
                .topic()
        } {
            topic => ::fusion::__private::takes::<Approval, _>(topic),
        }
    };
};
