package stream

import (
	"context"
	"encoding/binary"
	"os"
	"testing"
	"time"
)

// TestPublishForReal publishes the VP8 frames of an IVF file to a server that somebody runs:
//
//	ffmpeg -f lavfi -i testsrc2=size=640x360:rate=30 -t 10 -c:v libvpx -b:v 1M -g 30 /tmp/a.ivf
//	WHIP_IVF=/tmp/a.ivf WHIP_URL=http://127.0.0.1:7880/whip/v1 WHIP_TOKEN=... go test -run ForReal -v .
func TestPublishForReal(t *testing.T) {
	file, url := os.Getenv("WHIP_IVF"), os.Getenv("WHIP_URL")
	if file == "" || url == "" {
		t.Skip("set WHIP_IVF and WHIP_URL, and WHIP_TOKEN if it needs one")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 100)
	s, _ := serve(t, Config{KeyFrame: func(int) {
		select {
		case asked <- struct{}{}:
		default:
		}
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := s.Publish(ctx, PublishConfig{URL: url, Token: os.Getenv("WHIP_TOKEN")})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "connected", func() bool { return p.Stats().Connected })
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	n := uint32(0)
	for at := 32; at+12 <= len(data); n++ { // the file has a header of 32 bytes, each frame one of 12
		size := int(binary.LittleEndian.Uint32(data[at:]))
		frame := data[at+12 : at+12+size]
		at += 12 + size
		s.Write(0, &Frame{Data: frame, Key: frame[0]&1 == 0, Timestamp: 3000 * n, Captured: time.Now()})
		<-tick.C
	}
	st := p.Stats()
	t.Logf("%d frames; %+v; %d key frames were asked for, target %d bit/s", n, st, len(asked), s.Target(0))
	if !st.Connected || st.Sessions != 1 || st.Sent < uint64(n)*8/10 || st.Loss > 0.05 {
		t.Errorf("%+v of %d frames, want nearly all sent in one session", st, n)
	}
	if v := p.viewer; v.silent(time.Now()) > 5*time.Second {
		t.Error("the endpoint does not report that packets arrive")
	}
	p.Close()
}
