// A kernel in Rust with its backward pass, asked line by line: gradcheck probe -- ./kernel [--break]
//
//   rustc -O kernel.rs
//
// f(x) = sum of swish(x[i]) = x[i] / (1 + exp(-x[i])). The lines hold numbers of one tensor alone, so that reading them
// takes no library: every point is {} (theta), {"x":{"at":[[i],...],"to":[...]}} or {"x":{"to":[...]}}.
use std::io::{self, BufRead, Write};

fn swish(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

fn slope(x: f64, broken: bool) -> f64 {
    let s = 1.0 / (1.0 + (-x).exp());
    if broken { s } else { s + x * s * (1.0 - s) }
}

fn theta() -> Vec<f64> {
    (0..20).map(|i| (i as f64 - 9.5) / 4.0).collect()
}

/// The numbers of the text up to its matching bracket.
fn numbers(text: &str) -> Vec<f64> {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, c)| {
        depth += match c { '[' => 1, ']' => -1, _ => 0 };
        depth == 0
    });
    text[..end.map_or(text.len(), |(i, _)| i)].split(|c: char| "[], ".contains(c)).filter_map(|n| n.parse().ok()).collect()
}

fn value(point: &str) -> f64 {
    let mut x = theta();
    if let Some(to) = point.find("\"to\":") {
        let moved = numbers(point[to + 5..].trim_start());
        match point.find("\"at\":") {
            Some(at) => numbers(point[at + 5..].trim_start()).iter().zip(moved).for_each(|(i, v)| x[*i as usize] = v),
            None => x = moved,
        }
    }
    x.into_iter().map(swish).sum()
}

/// The objects of a list, in order.
fn objects(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (i, c) in list.char_indices() {
        match c {
            '{' => { if depth == 0 { begin = i } depth += 1 }
            '}' => { depth -= 1; if depth == 0 { found.push(&list[begin..=i]) } }
            ']' if depth == 0 => break,
            _ => (),
        }
    }
    found
}

fn main() {
    let broken = std::env::args().any(|a| a == "--break");
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        if let Some(points) = line.find("\"points\":") {
            let values: Vec<f64> = objects(&line[points + 9..]).into_iter().map(value).collect();
            println!("{{\"values\": {:?}}}", values);
        } else {
            let gradient: Vec<f64> = theta().into_iter().map(|x| slope(x, broken)).collect();
            println!("{{\"theta\": {{\"x\": {:?}}}, \"gradients\": {{\"x\": {:?}}}}}", theta(), gradient);
        }
        io::stdout().flush().unwrap();
    }
}
