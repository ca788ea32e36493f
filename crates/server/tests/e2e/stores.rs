//! One suite, both stores.

/// Makes of each named test, a function of the [`Backend`](crate::server::Backend), one test per store.
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::server::Backend::Embedded).await;
            })+
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::server::Backend::Redis).await;
            })+
        }
    };
}

pub(crate) use on_both_stores;
