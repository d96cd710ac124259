package pipeline

// Object and Part are the levels that are called so, as far as the model has them.
func (r *Result) Object() int { return max(0, len(r.Islands)-2) }

// Part is the level below Object.
func (r *Result) Part() int { return max(0, len(r.Islands)-3) }
