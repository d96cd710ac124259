#!/bin/sh
# Makes the samples that Inspect decodes: three frames of 64x48 in each codec.
set -e
for c in h264:libx264 hevc:libx265 vp8:libvpx vp9:libvpx-vp9 av1:libaom-av1 mpeg4:mpeg4 mjpeg:mjpeg; do
	ffmpeg -v error -y -f lavfi -i testsrc=s=64x48:r=10 -frames:v 3 -pix_fmt yuv420p -strict unofficial \
		-c:v "${c#*:}" -b:v 20k -fflags +bitexact -flags:v +bitexact "${c%%:*}.mkv"
done
