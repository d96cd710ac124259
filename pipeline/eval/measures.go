package eval

// Measure is a score that a report may hold.
type Measure struct {
	Name  string // key in the JSON
	Title string // column of a table
	Text  string // what it is
	Lower bool   // less is better
}

// Measures returns all scores, in the order of the columns.
func Measures() []Measure {
	return []Measure{
		{"auc", "AUC", "area under the ROC curve of the cosine of two locations as a test of their being of one region; locations of which less than three quarters are of one region do not count", false},
		{"best_j", "best J", "IoU of the best single island of each region of the truth, mean over regions and frames (an oracle picks the island, frame by frame)", false},
		{"mbo", "mBO", "the same over the whole video: an island must keep its id", false},
		{"ari", "ARI", "adjusted Rand index, mean over frames", false},
		{"ari_video", "ARI video", "adjusted Rand index over all frames at once", false},
		{"fg_ari", "FG-ARI", "the same without the background of the truth", false},
		{"covering", "covering", "segmentation covering of the truth, mean over frames", false},
		{"vi", "VI", "variation of information in bits, mean over frames", true},
		{"asa", "ASA", "achievable segmentation accuracy, mean over frames", false},
		{"ue", "UE", "undersegmentation error (Neubert and Protzel), mean over frames", true},
		{"ue_video", "UE 3-D", "undersegmentation error (Levinshtein) over the volume", true},
		{"acc_video", "ACC 3-D", "share of the truth's volume in islands that lie mostly inside it", false},
		{"br", "BR", "boundary recall within 0.25 % of the diagonal, mean over frames", false},
		{"ev", "EV", "explained variation of colour, mean over frames", false},
		{"switches", "switches", "identity switches: an object keeps its island while their IoU is at least 0.5", true},
		{"matched", "matched", "share of the objects' frames with an island of IoU 0.5 or more", false},
		{"life", "life", "frames that an id lives, mean over ids", false},
		{"warp", "warp", "share of pixels whose id is that of where the optical flow says they come from", false},
		{"vc8", "VC8", "of the pixels whose truth does not change in 8 frames, the share whose id does not either", false},
		{"islands", "islands", "islands in a frame", false},
		{"nesting", "nesting", "share of the pixels that lie in their island's parent", false},
		{"ends", "ends", "do the vectors of islands end with their parents: of what the vectors alone would make one island, the share inside", false},
		{"parents", "parents", "share of the islands that lie mostly in the whole in which their parent lies mostly", false},
		{"mean_cosine", "mean cos", "mean cosine of two locations of a frame: near 1 is a collapse", true},
		{"rank", "rank", "effective rank of the embeddings of a frame", false},
		{"perplexity", "perplexity", "perplexity of attention over the number of attended locations", false},
		{"agreement", "agreement", "length of the mean of bottom-up, top-down, past and neighbours", false},
		{"j", "J", "IoU of the mask, mean over frames (DAVIS)", false},
		{"j_recall", "J recall", "share of the frames with J over 0.5", false},
		{"j_decay", "J decay", "J of the first quarter less J of the last", true},
		{"f", "F", "boundary measure of the mask, mean over frames (DAVIS)", false},
		{"fps", "frames/s", "frames per second of the method alone, on the cores that were free", false},
	}
}
