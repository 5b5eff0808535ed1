async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}
#[allow(non_camel_case_types, dead_code, missing_docs)]
struct add {}
const _: () = {
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl ::fusion::__private::Contract for add {
        const TOPIC: &'static str = "add";
        type Params = ::fusion::__private::List<i64>;
        type Reply = i64;
        type Least = ::fusion::__private::Least<Self, 0usize>;
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl ::fusion::__private::Answers for add {}
    const _: () = {
        #[allow(non_camel_case_types, missing_docs, unreachable_pub)]
        struct add {}
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::fusion::__private::Contract for add {
            const TOPIC: &'static str = "add";
            type Params = ::fusion::__private::List<i64>;
            type Reply = i64;
            type Least = ::fusion::__private::Least<Self, 0usize>;
        }
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::fusion::__private::Answers for add {}
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl ::fusion::__private::Declared<add>
        for ::fusion::__private::TopicId<0xa68d621eed8b5822836dbc7977a75c0cu128> {
            type Contract = add;
        }
        const fn only_one_contract_may_declare_add<M>()
        where
            ::fusion::__private::TopicId<
                0xa68d621eed8b5822836dbc7977a75c0cu128,
            >: ::fusion::__private::Declared<M>,
        {}
        const _: () = only_one_contract_may_declare_add();
    };
    #[automatically_derived]
    impl ::fusion::__private::Reactor for add {
        type Contract = add;
        type Payload = ();
        type HandIns = ();
        type Value = ();
        type Needs = ();
        const SPEC: ::fusion::__private::ReactorSpec = ::fusion::__private::ReactorSpec::new(
            "add",
            <add as ::fusion::__private::Contract>::TOPIC,
        );
        fn read<'de, __D: ::fusion::__private::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::fusion::__private::Result<(), __D::Error> {
            ::fusion::__private::read_0(deserializer)
        }
        fn run(
            _: (),
            _: (),
        ) -> impl ::core::future::Future<
            Output = ::fusion::__private::Result<(), ::fusion::__private::Failure>,
        > + ::core::marker::Send + 'static {
            ::core::future::pending()
        }
    }
    #[automatically_derived]
    impl ::fusion::__private::Produces for add {
        type Produced = ();
    }
};
::core::compile_error! {
    "unknown option `retries`: there are `topic`, `window!`, `deps!`, `to`, `within`, `retry`, `order`, `concurrency`, `name`, `contract`, `envelope`, `crate`"
}
