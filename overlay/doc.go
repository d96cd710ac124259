// Package overlay draws what the model sees on the pictures it saw.
//
// A Drawer turns a Scene (one frame, the islands found on it, the agreement of its locations, its
// optical flow) into an annotated picture:
//
//	Islands    every island in its own colour over the picture, with an outline
//	Agreement  how strongly the predictions of each location agree, as a heat map with a legend
//	Unsettled  how much faster each location changes than it can settle, as a heat map with a legend
//	Flow       optical flow, direction as hue and length as strength, with a legend
//
// A level is drawn alone or, with Config.All, all levels side by side after the source picture.
// A line in the top left corner names the level and the frame rate, and warns in amber of a frame that
// is unsettled or that follows a cut.
//
//	d, err := overlay.New(overlay.Config{View: overlay.Islands, Level: 3})
//	…
//	canvas := pool.Frame(d.Size(frame.W, frame.H))
//	d.Draw(&canvas, &overlay.Scene{Frame: &frame, Labels: labels, FPS: 31})
//
// The parse tree of one frame makes a picture of its own, see [Drawer.Tree].
//
// # Colours
//
// The colour of an island is a function of its id alone, see [Colour]: an island that keeps its id
// keeps its colour. The palette is made of the hues of Okabe and Ito ("Color Universal Design",
// 2008) and Tol ("Colour schemes", 2021) in several lightnesses; the first eight colours, and any
// two colours whose ids follow each other, stay apart with normal vision, protanopia and
// deuteranopia. Every outline is a dark line beside a light one, so it shows on any background.
//
// # Units
//
// Pixels are 8-bit BGR in sRGB and are blended as they are, without going through linear light, as
// video tools do. Labels are one island id per pixel of the frame, 0 where there is no island.
// Blending is integer arithmetic and gives the same bytes on every machine.
//
// # Concurrency
//
// A Drawer does not change after New. Any number of goroutines may Draw with it at the same time,
// each on its own canvas.
package overlay
