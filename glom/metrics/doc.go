// Package metrics measures segmentations, tracks and hierarchies of islands against a truth, and
// how far embeddings have collapsed.
//
// A [Table] counts which label of the truth meets which label of the prediction. Pixels add up, so
// one table over all frames of a video gives the video-level measures, in which a lost id costs:
//
//	var video metrics.Table
//	for each frame {
//		video.Add(truth, pred)
//	}
//	fmt.Println(video.FGARI(), video.MBO())
//
// Labels are uint16, one per pixel, row-major. In the truth, 0 is the background and [Ignore] marks
// pixels that count nowhere; in the prediction every label is one like any other, 0 too.
//
// No function returns NaN or an infinity for finite input. Where there is nothing to measure (no
// pixel, no object, no pair) the result is 0, unless the comment of the function says otherwise.
//
// Types keep their memory between frames and work from their zero value; each is for one goroutine
// at a time.
package metrics
