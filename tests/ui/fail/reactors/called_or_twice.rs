use fusion::prelude::*;

#[reactor(topic = "add")]
fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

fn called(app: App) -> App {
    app.reactors(reactors![add()])
}

fn twice(app: App) -> App {
    app.reactors(reactors![add, add])
}

fn main() {
    let _ = (called, twice);
}
