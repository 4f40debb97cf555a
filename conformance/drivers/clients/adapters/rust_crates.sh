#!/bin/sh
# Builds the driver of a crate from Debian's sources of crates: rust_crates.sh KITS HERE BUILT CRATE
set -e
kits=$1 here=$2 built=$3 crate=$4 registry=/usr/share/cargo/registry
found=$(ls -d "$registry/$crate"-[0-9]* | tail -1)
version=${found##*-}
mkdir -p "$built/src" "$built/.cargo"
cp "$kits/rust/driver.rs" "$built/src/main.rs"
cp "$here/adapters/rust_crates.rs" "$built/src/client.rs"
case $crate in reqwest) features=', features = ["blocking"]' ;; esac
cat >"$built/Cargo.toml" <<EOF
[package]
name = "driver"
version = "0.0.0"
edition = "2021"
[features]
$crate = []
[dependencies]
$crate = { package = "$crate", version = "$version", default-features = false$features }
EOF
sed -i "s/^$crate = \[\]/default = [\"client\"]\nclient = []/" "$built/Cargo.toml"
sed -i "s/cfg(feature = \"$crate\")/cfg(feature = \"client\")/" "$built/src/client.rs"
printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "%s"\n' "$registry" >"$built/.cargo/config.toml"
cd "$built"
KIT_VERSION=$version cargo build --offline --release
mv target/release/driver driver
rm -r target
