#!/bin/sh
# Draws everything in ../site that is not written by hand. Needs gcc, clang and lld, ffmpeg, and Python with the packages
# of requirements.txt. Takes about ten minutes on two cores. Intermediate files go to $MAPS.
#   ./make.sh          everything
#   ./make.sh fonts    one part: maps, fonts, plates, wasm or film
set -eu
cd "$(dirname "$0")"
export MAPS="${MAPS:-/tmp/nearhand-demo}"
python="${PYTHON:-python3}"
mkdir -p "$MAPS" ../site/plates ../site/film ../site/fonts ../site/wasm

maps() {
  gcc -O2 -o "$MAPS/heightmap" terrain/heightmap.c -lm
  gcc -O3 -march=x86-64-v2 -o "$MAPS/film" terrain/film.c -lm
  "$MAPS/heightmap" 7 1024 500000 "$MAPS/range.f32"
  "$MAPS/heightmap" 23 512 140000 "$MAPS/island.f32" island
}

fonts() {
  "$python" font/build.py
}

plates() {
  for plate in plates/plate_*.py; do "$python" "$plate"; done
}

wasm() {
  "$python" terrain/bake_table.py "$MAPS/island.f32" "$MAPS/relief-table.h"
  clang --target=wasm32 -O2 -nostdlib -I"$MAPS" -Wl,--no-entry -Wl,--strip-all \
    -Wl,--export=width -Wl,--export=height -Wl,--export=picture -Wl,--export=unfold -Wl,--export=draw \
    -o ../site/wasm/relief.wasm terrain/relief.c
  chmod 644 ../site/wasm/relief.wasm
}

# 864 pictures, 24 a second, a keyframe every two seconds, the index in front so that a player can seek at once.
film() {
  "$MAPS/film" "$MAPS/range.f32" 1024 1280 720 864 |
    ffmpeg -loglevel error -y -f rawvideo -pix_fmt rgb24 -s 1280x720 -framerate 24 -i - -an \
      -c:v libx264 -threads 2 -preset slow -crf 19 -g 48 -keyint_min 48 -sc_threshold 0 -profile:v high \
      -vf scale=out_color_matrix=bt709:out_range=tv -pix_fmt yuv420p \
      -colorspace bt709 -color_primaries bt709 -color_trc bt709 \
      -map_metadata -1 -fflags +bitexact -flags:v +bitexact -movflags +faststart ../site/film/anders-firth.mp4
}

for part in ${*:-maps fonts plates wasm film}; do "$part"; done
