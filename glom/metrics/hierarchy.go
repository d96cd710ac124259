package metrics

// Nesting returns how strictly the islands of a level lie within those of the level above:
// 1/N Σ_A max_B |A∩B| over the islands A of the lower level, which is [Table.ASA] between levels.
// Range 0 to 1; 1 is a strict tree, which a single island above gives too. Locations with [Ignore] in
// upper are left out.
func Nesting(lower, upper []uint16) float64 {
	var t Table
	t.Add(upper, lower)
	return t.ASA()
}

// Parents measures the edges of a parse tree between two levels against a true tree of parts and
// wholes. The zero value works.
type Parents struct {
	frame, video families
	right, pairs int
}

// families holds who lies where: the first name is the truth of the table, the second the
// prediction.
type families struct {
	truthChildOfChild, truthParentOfChild, parentOfChild, truthParentOfParent, truthParentOfTruthChild Table
}

// Add takes the label maps of one frame: the islands of two levels, and the truth of both. It panics
// if the lengths differ.
func (p *Parents) Add(child, parent, truthChild, truthParent []uint16) {
	f := &p.frame
	f.truthChildOfChild.Reset()
	f.truthChildOfChild.Add(truthChild, child)
	f.truthParentOfChild.Reset()
	f.truthParentOfChild.Add(truthParent, child)
	f.parentOfChild.Reset()
	f.parentOfChild.Add(parent, child)
	f.truthParentOfParent.Reset()
	f.truthParentOfParent.Add(truthParent, parent)
	f.truthParentOfTruthChild.Reset()
	f.truthParentOfTruthChild.Add(truthParent, truthChild)

	v := &p.video
	v.truthChildOfChild.Merge(&f.truthChildOfChild)
	v.parentOfChild.Merge(&f.parentOfChild)
	v.truthParentOfParent.Merge(&f.truthParentOfParent)
	v.truthParentOfTruthChild.Merge(&f.truthParentOfTruthChild)

	right, pairs := f.judge()
	p.right += right
	p.pairs += pairs
}

// Rate returns the parent accuracy: over the frames so far, the fraction of child islands whose
// parent is right. The parent is the island above that covers most of the child; it is right if the
// whole that has most of the one has most of the other. Children that lie only on [Ignore], mostly on
// background at either level or in a part whose whole is the background are left out. Range 0 to 1. The rate is also
// high where nothing is grouped and both levels are the same islands; F1 is not.
//
// The whole of a child is not that of the part with most of it: where a child holds pieces of many
// parts, the largest piece is a matter of chance, and of two islands that are the same one could be
// the wrong parent of the other.
func (p *Parents) Rate() float64 { return ratio(float64(p.right), float64(p.pairs)) }

// Pairs returns the number of child islands behind [Parents.Rate], summed over the frames.
func (p *Parents) Pairs() int { return p.pairs }

// judge counts the children of a frame, and those among them whose parent is right.
func (f *families) judge() (right, pairs int) {
	part := f.truthChildOfChild.majority()
	wholeOfChild := f.truthParentOfChild.majority()
	above := f.parentOfChild.majority()
	whole := f.truthParentOfParent.majority()
	wholeOfPart := f.truthParentOfTruthChild.majority()
	for child, g := range part {
		want := wholeOfChild[child]
		if g == 0 || wholeOfPart[g] == 0 || want == 0 {
			continue
		}
		pairs++
		if parent, ok := above[child]; ok && whole[parent] == want {
			right++
		}
	}
	return right, pairs
}

// F1 returns the parse-tree F1 of the video so far: over the volumes of all frames, islands are
// matched one-to-one with parts, and the islands above with wholes, so that the sum of IoU is the
// greatest ([Table.Matching]); a (child, parent) pair of islands is right if the parts that they are
// matched with are a (child, parent) pair of the truth. F1 = 2·right / (pairs of islands + pairs
// of the truth). What [Parents.Rate] leaves out is left out here too, and so are parts whose whole is
// the background. Range 0 to 1.
func (p *Parents) F1() float64 {
	f := &p.video
	partOf := invert(f.truthChildOfChild.Matching())
	wholeOf := invert(f.truthParentOfParent.Matching())
	above := f.parentOfChild.majority()
	wholeOfPart := f.truthParentOfTruthChild.majority()

	var right, islands, truths int
	for part, whole := range wholeOfPart {
		if part != 0 && part != Ignore && whole != 0 {
			truths++
		}
	}
	for child, g := range f.truthChildOfChild.majority() {
		if g == 0 || wholeOfPart[g] == 0 {
			continue
		}
		islands++
		parent, ok := above[child]
		part, whole := partOf[child], wholeOf[parent] // 0 if not matched
		if ok && part != 0 && wholeOfPart[part] == whole {
			right++
		}
	}
	return ratio(float64(2*right), float64(islands+truths))
}

// majority returns, for each predicted label, the truth label that has most of its pixels.
func (t *Table) majority() map[uint16]uint16 {
	v := t.read()
	truth, _ := v.majority()
	m := make(map[uint16]uint16, len(truth))
	for j, i := range truth {
		m[v.preds[j]] = v.truths[i]
	}
	return m
}

func invert(m map[uint16]uint16) map[uint16]uint16 {
	inverse := make(map[uint16]uint16, len(m))
	for k, v := range m {
		inverse[v] = k
	}
	return inverse
}
