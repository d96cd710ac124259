package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// item is a file to learn from.
type item struct {
	path           string
	name           string // as the store knows it: the path from the folder that the user named
	video          bool
	parts, objects string // files of masks, "" if there is none
}

// evaluationOnly tells the data sets that nothing may be learned from.
func evaluationOnly(folder string) bool {
	switch strings.ToLower(folder) {
	case "davis-dev", "bsds-dev", "pascal-parts":
		return true
	}
	return false
}

// gather lists what there is to learn from in folders, in the order of their names. list, if
// not empty, names a file with the only ones to take.
func gather(folders []string, list string) ([]item, error) {
	var only map[string]bool
	if list != "" {
		var err error
		if only, err = readList(list); err != nil {
			return nil, err
		}
	}
	var items []item
	for _, folder := range folders {
		found, err := gatherFolder(folder)
		if err != nil {
			return nil, fmt.Errorf("prepare %q: %w", folder, bare(err))
		}
		for _, it := range found {
			if only == nil || only[it.path] {
				items = append(items, it)
			}
		}
	}
	return items, nil
}

func gatherFolder(folder string) ([]item, error) {
	root, err := filepath.Abs(folder)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return nil, err
	}
	if !isFolder(root) {
		return nil, fmt.Errorf("it is not a folder")
	}
	if above := strings.Split(filepath.Dir(root), string(filepath.Separator)); slices.ContainsFunc(above, evaluationOnly) {
		return nil, fmt.Errorf("it belongs to a data set for evaluation only, nothing may be learned from it")
	}
	var items []item
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case evaluationOnly(d.Name()):
			return fmt.Errorf("%s is for evaluation only, nothing may be learned from it: name other folders", d.Name())
		case strings.HasPrefix(d.Name(), ".") && path != root:
			return fs.SkipDir
		}
		found, err := gatherFiles(root, path)
		items = append(items, found...)
		if err == nil && labelled(path) != layoutNone {
			return fs.SkipDir // its folders are looked at together
		}
		return err
	})
	return items, err
}

// layout is how a folder says what it knows of its pictures.
type layout int

const (
	layoutNone layout = iota
	layoutParts
	layoutObjects
)

func labelled(dir string) layout {
	switch _, err := os.Stat(filepath.Join(dir, "labels.txt")); {
	case !isFolder(filepath.Join(dir, "images")):
		return layoutNone
	case err == nil && isFolder(filepath.Join(dir, "masks")):
		return layoutParts
	case isFolder(filepath.Join(dir, "instances")):
		return layoutObjects
	}
	return layoutNone
}

// gatherFiles lists the files of one folder, and of its images/ if it has masks beside.
func gatherFiles(root, dir string) ([]item, error) {
	form := labelled(dir)
	masks := ""
	switch form {
	case layoutParts:
		masks = filepath.Join(dir, "masks")
	case layoutObjects:
		masks = filepath.Join(dir, "instances")
	}
	if form != layoutNone {
		dir = filepath.Join(dir, "images")
	}
	uses, err := readUses(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var items []item
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		video, ok := mediaKind(e.Name())
		if !ok || e.IsDir() || video && uses != nil && !uses[path] {
			continue
		}
		it := item{path: path, video: video, name: filepath.ToSlash(strings.TrimPrefix(path, filepath.Dir(root)+string(filepath.Separator)))}
		mask := filepath.Join(masks, strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))+".png")
		if _, err := os.Stat(mask); err == nil && !video {
			switch form {
			case layoutParts:
				it.parts = mask
			case layoutObjects:
				it.objects = mask
			}
		}
		items = append(items, it)
	}
	return items, nil
}

// mediaKind tells pictures and videos by their names; others are no media.
func mediaKind(name string) (video, ok bool) {
	if strings.HasPrefix(name, ".") {
		return false, false
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".bmp", ".webp":
		return false, true
	case ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".h264", ".264", ".hevc", ".265",
		".3gp", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv":
		return true, true
	}
	return false, false
}

// readUses reads the videos.tsv of dir or of the folder above it, and returns which files may
// be learned from; nil if there is none. Its first line names the columns, of which file and
// use are needed.
func readUses(dir string) (map[string]bool, error) {
	for _, at := range []string{dir, filepath.Dir(dir)} {
		name := filepath.Join(at, "videos.tsv")
		lines, err := linesOf(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		uses := make(map[string]bool)
		file, use := -1, -1
		for i, line := range lines {
			fields := strings.Split(line, "\t")
			if i == 0 {
				file, use = slices.Index(fields, "file"), slices.Index(fields, "use")
				if file < 0 || use < 0 {
					return nil, fmt.Errorf("%s has no columns file and use", name)
				}
				continue
			}
			if len(fields) > max(file, use) && fields[use] == "train+test" {
				uses[filepath.Join(at, fields[file])] = true
			}
		}
		return uses, nil
	}
	return nil, nil
}

// readList reads the names in a file, relative to its folder.
func readList(name string) (map[string]bool, error) {
	lines, err := linesOf(name)
	if err != nil {
		return nil, fmt.Errorf("read list %q: %w", name, bare(err))
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read list %q: %w", name, bare(err))
	}
	only := make(map[string]bool)
	for _, line := range lines {
		if !filepath.IsAbs(line) {
			line = filepath.Join(dir, line)
		}
		only[line] = true
	}
	return only, nil
}

// linesOf returns the lines of a file that are not empty.
func linesOf(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if line := strings.TrimRight(s.Text(), "\r"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, s.Err()
}
