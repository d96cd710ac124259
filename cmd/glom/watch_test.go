package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// The whole way from the source to viewers that decode nothing, in a process of their own.
func TestBenchReceivers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	t.Setenv("GLOM_TEST_MAIN", "1") // for the process of the receivers
	const n = 3
	for _, picture := range []string{"plain", "overlay"} {
		var r latencyReport
		out := succeed(t, "bench", "latency", "--source", "synthetic:demo?size=96x64&fps=15&frames=-1", "--seconds", "2",
			"--receivers", "3", "--picture", picture, "--json")
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		w := r.Receivers
		if r.Viewers != 0 || w == nil || w.Picture != picture || len(w.Viewers) != n || r.FPS < 1 || r.CPU <= 0 || r.Encoded < 1 {
			t.Fatalf("%+v", r)
		}
		for i, v := range w.Viewers {
			if v.FPS < 1 || v.FPS > 16 || v.Median <= 0 || v.Max > 10_000 || v.Median > v.Max || v.First <= 0 || v.Missed > 0 {
				t.Errorf("%s, viewer %d: %+v", picture, i+1, v)
			}
			if has := v.Data > 0; has != (picture == "plain") {
				t.Errorf("%s, viewer %d: %v data/s", picture, i+1, v.Data)
			}
		}
		if table := new(strings.Builder); r.print(table) != nil || !strings.Contains(table.String(), "viewer 3") || strings.Contains(table.String(), "browser") {
			t.Errorf("the table:\n%s", table)
		}
	}
	fail(t, exitFailed, []string{"bench", "watch", "http://127.0.0.1:1/"}, "viewer", "refused")
}
