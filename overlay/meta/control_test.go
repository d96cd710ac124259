package meta

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseCommand(t *testing.T) {
	three, seven, no, x, y, ms, opacity := 3, 7, false, 0.25, 1.0, 12.5, 0.6
	tests := []struct {
		in   string
		want Command
	}{
		{`{"type":"set","level":3}`, Command{Type: Set, Level: &three}},
		{`{"type":"set","paused":false}`, Command{Type: Set, Paused: &no}},
		{` {"type":"follow","island":7,"level":3} `, Command{Type: Follow, Island: &seven, Level: &three}},
		{`{"type":"follow","x":0.25,"y":1}`, Command{Type: Follow, X: &x, Y: &y}},
		{`{"type":"unfollow"}`, Command{Type: Unfollow}},
		{`{"type":"draw","level":3,"opacity":0.6}`, Command{Type: Draw, Level: &three, Opacity: &opacity}},
		{`{"type":"snapshot"}`, Command{Type: Snapshot}},
		{`{"type":"keyframe"}`, Command{Type: Keyframe}},
		{`{"type":"ping","t":12.5}`, Command{Type: Ping, T: &ms}},
	}
	for _, tt := range tests {
		got, err := ParseCommand([]byte(tt.in))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v and %v, want %+v", tt.in, got, err, tt.want)
		}
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for in, want := range map[string]string{
		``:                                       "EOF",
		`null`:                                   "unknown",
		`[]`:                                     "cannot unmarshal",
		`{}`:                                     "unknown",
		`{"type":1}`:                             "cannot unmarshal",
		`{"type":"set","level":3}{}`:             "more than one",
		`{"type":"set","level":3}x`:              "more than one",
		`{"type":"set","levels":3}`:              "unknown field",
		`{"type":"set"}`:                         "want level or paused",
		`{"type":"set","level":32}`:              "level 32",
		`{"type":"set","level":-1}`:              "level -1",
		`{"type":"set","level":1.5}`:             "cannot unmarshal",
		`{"type":"follow","island":7}`:           "want island and level",
		`{"type":"follow","island":0,"level":1}`: "island 0",
		`{"type":"follow","x":0.5}`:              "x and y",
		`{"type":"follow","x":0.5,"y":1.01}`:     "x and y",
		`{"type":"follow","x":-0.1,"y":0}`:       "x and y",
		`{"type":"draw"}`:                        "want level or opacity",
		`{"type":"draw","opacity":0}`:            "opacity 0",
		`{"type":"draw","opacity":1.1}`:          "opacity 1.1",
		`{"type":"draw","level":32}`:             "level 32",
		`{"type":"ping"}`:                        "want t",
		`{"type":"shutdown"}`:                    "unknown, use",
		`{"type":"` + strings.Repeat("x", 4096) + `"}`: "more than 4096",
	} {
		if c, err := ParseCommand([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %+v and %v, want an error with %q", in, c, err, want)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add([]byte(`{"type":"set","level":3,"paused":true}`))
	f.Add([]byte(`{"type":"follow","x":0.25,"y":1,"island":3,"level":1}`))
	f.Add([]byte(`{"type":"draw","level":3,"opacity":0.6}`))
	f.Add([]byte(`{"type":"ping","t":1e300}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCommand(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > MaxCommand {
			return
		}
		twice, err := ParseCommand(again)
		if err != nil || !reflect.DeepEqual(twice, c) {
			t.Fatalf("%s: got %+v and %v, want %+v", again, twice, err, c)
		}
	})
}

func TestAppendState(t *testing.T) {
	s := State{Role: "operator", Names: []string{"part"}, Follow: &Followed{Level: 3, Island: 7}}
	got, err := AppendState([]byte(">"), &s)
	if err != nil {
		t.Fatal(err)
	}
	want := `>{"type":"state","role":"operator","names":["part"],"level":0,"paused":false,` +
		`"follow":{"level":3,"island":7},"stalled":false,"viewers":0}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	pong, err := AppendPong(nil, 0.5, time.UnixMicro(1234567))
	if want := []byte(`{"type":"pong","t":0.5,"time":1234567}`); err != nil || !bytes.Equal(pong, want) {
		t.Errorf("got %s and %v, want %s", pong, err, want)
	}
}
