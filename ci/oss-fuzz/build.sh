#!/bin/bash -eu
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite want them. Reads nothing but their
# environment: CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE, SANITIZER, SRC, WORK, OUT.
cd "$SRC/sipws"

# The image that runs the targets has no libraries, so libcrypto is linked statically. MemorySanitizer
# wants it instrumented, and then without assembler.
crypto=()
if [ -d "$SRC/openssl" ]; then
    options=(no-shared no-tests no-apps no-docs no-module no-engine no-legacy)
    [ "${SANITIZER:-}" != memory ] || options+=(no-asm)
    mkdir -p "$WORK/openssl-build"
    (
        cd "$WORK/openssl-build"
        "$SRC/openssl/Configure" --prefix="$WORK/openssl" --libdir=lib "${options[@]}" linux-x86_64
        make -j"$(nproc)" build_libs
        make install_dev
    ) >"$WORK/openssl.log" 2>&1 || { tail -n 40 "$WORK/openssl.log"; exit 1; }
    crypto=("-DOPENSSL_ROOT_DIR=$WORK/openssl")
fi

# The flags are the environment's alone: build type None adds none.
cmake -S . -B "$WORK/sipws" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_CXX_FLAGS="$CXXFLAGS" \
    -DSIPWS_ENGINE="$LIB_FUZZING_ENGINE" -DSIPWS_TESTS=OFF -DSIPWS_PEERS=OFF -DOPENSSL_USE_STATIC_LIBS=ON "${crypto[@]}"
cmake --build "$WORK/sipws" --target fuzzers

for program in "$WORK"/sipws/bin/fuzz-*; do
    target=${program##*/fuzz-}
    [ "$target" != selftest ] || continue # has bugs by design
    cp "$program" "$OUT/"
    if [ -f "corpus/dict/$target.dict" ]; then
        cp "corpus/dict/$target.dict" "$OUT/fuzz-$target.dict"
    fi
    if [ -f "fuzz/fuzz-$target.options" ]; then
        sed "s/^dict *=.*/dict = fuzz-$target.dict/" "fuzz/fuzz-$target.options" \
            >"$OUT/fuzz-$target.options"
    fi
    python3 - "$OUT/fuzz-${target}_seed_corpus.zip" "corpus/seeds/$target" "corpus/regress/$target" <<'END'
import pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for folder in map(pathlib.Path, sys.argv[2:]):
        for path in sorted(folder.glob("*")) if folder.is_dir() else []:
            if path.is_file():
                z.write(path, f"{folder.parent.name}-{path.name}")
END
done
