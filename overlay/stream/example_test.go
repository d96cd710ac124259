package stream_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"glomstream/overlay/stream"
)

// A player asks what the server takes before it makes an offer.
func ExampleServer() {
	s, err := stream.New(stream.Config{ICEServers: []stream.ICEServer{{URL: "stun:stun.example.org"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close(context.Background())

	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodOptions, "/whep", nil))
	fmt.Println(w.Code, w.Header().Get("Accept-Post"))
	fmt.Println(w.Header().Get("Link"))
	fmt.Println(s.Watching(0), "watch")
	// Output:
	// 200 application/sdp
	// <stun:stun.example.org>; rel="ice-server"
	// 0 watch
}
