#!/bin/sh
# Makes the pictures of this folder: one strip per clip, the sub-part, part and object level of
# one frame beside each other, and a parse tree. Needs bin/glom, ffmpeg, and the folder of clips as its argument.
#
#   sam2__01_dog.mp4, sam2__04_coffee.mp4   SA-V by Meta, CC BY 4.0
#   intel__car-detection.mp4                intel-iot-devkit/sample-videos, CC BY 4.0
set -eu
clips=$1
here=$(cd "$(dirname "$0")" && pwd)
glom=$here/../../bin/glom
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

strip() { # clip, frame
	inputs=
	for level in 1 2 3; do
		"$glom" process "$clips/$1.mp4" -o "$work/$level.mkv" -y -q --level $level --frames $(($2 + 1))
		ffmpeg -v error -y -i "$work/$level.mkv" -vf "select=eq(n\,$2),scale=480:270" -vsync 0 -frames:v 1 "$work/$level.png"
		inputs="$inputs -i $work/$level.png"
	done
	ffmpeg -v error -y $inputs -filter_complex hstack=inputs=3 -q:v 4 "$here/$1.jpg"
}

strip sam2__01_dog 30
strip sam2__04_coffee 75
strip intel__car-detection 66

(cd "$clips" && "$glom" tree sam2__01_dog.mp4 --frame 60 -o "$work/tree.png" -q)
ffmpeg -v error -y -i "$work/tree.png" -vf scale=1800:-2:flags=lanczos -q:v 5 "$here/tree.jpg"
