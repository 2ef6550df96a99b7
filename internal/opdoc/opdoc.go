// Package opdoc reads what the doc comments of a client's methods tell of the panel's operations, and holds it against what tests have seen. The last lines of
// such a comment are
//
//	// Class: once.
//	// API: POST /servers/{id}/restart
//
// where the class is read, set or once, as in package rest, or "set, but once ..." and "once, but set ..." for a method whose arguments decide. Only tests use
// this package.
package opdoc

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Operation is what the comment of one method tells.
type Operation struct {
	Name  string // "POST /servers/{id}/restart"
	Class string // "once", "" when the comment tells none
	File  string
}

var (
	lines = regexp.MustCompile(`(?m)^(?:// Class: (read|set|once|set, but once .+|once, but set .+)\.\n)?// API: ([A-Z]+ \S+)$`)
	class = regexp.MustCompile(`\b(read|set|once)\b`)
)

// Read returns the operations of the package in a folder, in the order of its files. Its tests are left out.
func Read(folder string) ([]Operation, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []Operation
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file) //nolint:gosec // a file of this module
		if err != nil {
			return nil, err
		}
		for _, m := range lines.FindAllStringSubmatch(string(source), -1) {
			all = append(all, Operation{Name: m[2], Class: m[1], File: file})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no operation in %q", folder)
	}
	return all, nil
}

// Find returns the index of the operation that a request is about, such as "POST /servers/42/restart", and -1 for a request of none. Of two that fit, the one
// with fewer parameters is meant.
func Find(all []Operation, request string) int {
	best, parameters := -1, 0
	for i, op := range all {
		if n := strings.Count(op.Name, "{"); (best < 0 || n < parameters) && op.fits(request) {
			best, parameters = i, n
		}
	}
	return best
}

func (op Operation) fits(request string) bool {
	ours, theirs := strings.Split(op.Name, "/"), strings.Split(request, "/")
	return slices.EqualFunc(ours, theirs, func(own, their string) bool { return own == their || strings.HasPrefix(own, "{") && their != "" })
}

// Wrong returns what is wrong with the classes that the comments tell. proven has the class of each request, as a test has seen it.
func Wrong(all []Operation, proven map[string]string) []string {
	var wrong []string
	seen := make([][]string, len(all))
	for request, class := range proven {
		if i := Find(all, request); i < 0 {
			wrong = append(wrong, request+" is no operation")
		} else if !slices.Contains(seen[i], class) {
			seen[i] = append(seen[i], class)
		}
	}
	for i, op := range all {
		told := class.FindAllString(op.Class, 2)
		slices.Sort(told)
		slices.Sort(seen[i])
		if len(told) == 0 || !slices.Equal(told, seen[i]) {
			wrong = append(wrong, fmt.Sprintf("%s: %s tells the class %q, and its requests show %q", op.File, op.Name, op.Class, seen[i]))
		}
	}
	slices.Sort(wrong)
	return wrong
}
