fn reserve(
    stock: State<Stock>,
    article: u64,
    count: Option<u32>,
) -> Result<bool, StockError> {
    stock.reserve(article, count.unwrap_or(1))
}
#[allow(non_camel_case_types, dead_code, missing_docs)]
struct reserve {}
const _: () = {
    const _: () = {
        ::fusion::__private::same_parameter::<
            <<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract,
            0usize,
            u64,
        >();
        ::fusion::__private::same_parameter::<
            <<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract,
            1usize,
            Option<u32>,
        >();
        ::fusion::__private::same_reply::<
            <<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract,
            bool,
        >();
        ::fusion::__private::same_count::<
            <<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract,
            2usize,
        >();
    };
    #[automatically_derived]
    impl ::fusion::__private::Reactor for reserve {
        type Contract = <<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract;
        type Payload = (u64, Option<u32>);
        type HandIns = (State<Stock>,);
        type Value = bool;
        type Needs = (Stock, ());
        const SPEC: ::fusion::__private::ReactorSpec = ::fusion::__private::ReactorSpec {
            within: ::core::time::Duration::from_nanos(5000000000u64),
            order: ::fusion::__private::Order::None,
            envelope: <<<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract as ::fusion::__private::Contract>::ENVELOPE,
            ..::fusion::__private::ReactorSpec::new(
                "stock",
                <<<contracts::reserve as ::fusion::__private::Contract>::Least as ::fusion::__private::Of>::Contract as ::fusion::__private::Contract>::TOPIC,
            )
        };
        fn read<'de, __D: ::fusion::__private::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::fusion::__private::Result<Self::Payload, __D::Error> {
            ::fusion::__private::read_2::<u64, Option<u32>, _>(deserializer)
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
            async move {
                let (p_1, p_2) = payload;
                let (p_0,) = hand_ins;
                let outcome = reserve(p_0, p_1, p_2);
                ::fusion::__private::outcome(outcome)
            }
        }
    }
    #[automatically_derived]
    impl ::fusion::__private::Produces for reserve {
        type Produced = <Self as ::fusion::__private::Reactor>::Value;
    }
};
