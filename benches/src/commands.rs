use fastrand::Rng;

use crate::SEED;

/// So many commands of the text dialect in the mixture that a map client sends: a few at the start, then boxes.
#[must_use]
pub fn map_client(count: usize) -> Vec<String> {
    let mut random = Rng::with_seed(SEED);
    (0..count)
        .map(|index| match index % 10 {
            0 => "PROJECTION epsg:3857".to_owned(),
            1 => format!("GET trajectory {}", random.u32(..)),
            2 => "SUB trajectory".to_owned(),
            3 => "PING".to_owned(),
            4 => "DEL trajectory".to_owned(),
            _ => {
                let (x, y) = (random.i32(600_000..1_200_000), random.i32(5_700_000..6_100_000));
                format!(
                    "BBOX {x} {y} {} {} {} gen=5 mots=rail,bus tenant=sbb",
                    x + 9_000,
                    y + 6_000,
                    random.u8(5..18)
                )
            }
        })
        .collect()
}
