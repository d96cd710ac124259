package conv_test

import (
	"fmt"

	"glomstream/glom/conv"
)

func Example() {
	net, err := conv.New(conv.Config{Dim: 32})
	if err != nil {
		fmt.Println(err)
		return
	}
	const h, w = 48, 64
	var in conv.Input
	planes := make([]float32, 5*h*w)
	in.Fill(planes, make([]byte, 3*h*w), nil, h, w) // a black picture without motion

	var pass conv.Pass
	var frame conv.Frame
	x := make([]float32, h/conv.Stride*w/conv.Stride*32)
	pass.Forward(net, x, planes, h, w, &frame)
	fmt.Println(len(x)/32, "locations")

	grad := make([]float32, len(net.Params))
	pass.Backward(net, grad, x, &frame)
	net.Unstandardise(grad)
	fmt.Println(len(net.ONNX(h, w)) > 4*len(net.Params)*9/10)
	// Output:
	// 48 locations
	// true
}
