// Package conv is the convolutional front end: it turns a picture and its optical flow into one
// unit vector per location, which sees more of the picture than its own patch (paper, section
// 3.5).
//
// A net is a stack of 3x3 convolutions with ReLU between them; the last gives D channels, which
// are projected to the unit sphere. Its strides multiply to 8. Weights are standardised: what
// convolves is gain * (w - mean(w)) / |w - mean(w)| for each output channel, which keeps the
// scale of the activations like batch normalisation, but needs no statistics of the data, so that
// clips are independent of each other, and folds into the weights when the net is written as an
// ONNX file. In the first layer nothing is taken from w: without a mean over colours and flow a net
// could not tell motion from brightness. Borders are reflected: zeros would tell the net where the border is.
//
// The trainer computes with this package; the product runs the ONNX file that [Net.ONNX] makes
// with OpenCV. Both take their input from [Input].
//
// Sizes in shape comments: I input channels, O output channels, H and W pixels, N locations
// (H/8 * W/8), D channels of the last layer. Pictures are BGR bytes; planes are float32 R, G, B,
// dx, dy.
package conv
