fn approve(triggers: Vec<Trigger>) {}
#[allow(non_camel_case_types, dead_code, missing_docs)]
struct approve {}
const _: () = {
    #[automatically_derived]
    impl ::fusion::__private::window::WindowReactor for approve {
        type Gathered = ();
        type Strategy = ::fusion::__private::window::Tumbling;
        type HandIns = ();
        type Value = ();
        type Needs = ();
        const SPEC: ::fusion::__private::window::WindowSpec = ::fusion::__private::window::WindowSpec::new(
            "approve",
            &[],
            ::fusion::__private::window::Kind::Tumbling {
                size: ::core::time::Duration::from_millis(1),
            },
            ::core::time::Duration::ZERO,
        );
        fn read(
            topic: usize,
            _: ::fusion::__private::window::Unread<'_>,
            _: ::core::option::Option<i64>,
        ) -> ::fusion::__private::Result<
            ::fusion::__private::window::Read<Self>,
            ::fusion::__private::Failure,
        > {
            ::fusion::__private::Err(::fusion::__private::window::stranger(topic))
        }
        fn copy(_: &()) -> ::core::option::Option<()> {
            ::fusion::__private::None
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
    impl ::fusion::__private::Produces for approve {
        type Produced = ();
    }
};
::core::compile_error! {
    "how long do records that come late have? add `grace = 2s`, or `grace = 0s` if they have no time"
}
