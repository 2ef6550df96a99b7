package solusvm2test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// form is the JSON body of a request with what is wrong with it, checked the way the framework does: numbers may be text, null is absent, and members that an
// operation does not know are ignored. So a member of another vocabulary does nothing, and what it stood for is missing.
type form struct {
	in     map[string]any
	prefix string // of a nested object: "params."
	errors map[string][]string
}

func (c *call) form() *form {
	f := &form{errors: map[string][]string{}}
	d := json.NewDecoder(c.r.Body)
	d.UseNumber()
	if d.Decode(&f.in) != nil || f.in == nil {
		f.in = map[string]any{} // a body that is not an object is an empty one to the framework
	}
	return f
}

func (f *form) has(name string) bool { return f.in[name] != nil }

func (f *form) fail(name, format string, args ...any) {
	f.errors[f.prefix+name] = append(f.errors[f.prefix+name], fmt.Sprintf(format, args...))
}

func (f *form) failed() bool { return len(f.errors) > 0 }

// words is how the framework's messages name a member.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// require demands members.
func (f *form) require(names ...string) {
	for _, name := range names {
		if v := f.in[name]; v == nil || v == "" {
			f.fail(name, "The %s field is required.", words(f.prefix+name))
		}
	}
}

// int reads a whole number between low and high, def when absent.
func (f *form) int(name string, def, low, high int64) int64 {
	if !f.has(name) {
		return def
	}
	n, err := strconv.ParseInt(fmt.Sprint(f.in[name]), 10, 64)
	switch {
	case err != nil:
		f.fail(name, "The %s must be an integer.", words(name))
	case n < low:
		f.fail(name, "The %s must be at least %d.", words(name), low)
	case n > high:
		f.fail(name, "The %s may not be greater than %d.", words(name), high)
	}
	return n
}

// count reads a number that cannot be negative.
func (f *form) count(name string, def int64) int64 { return f.int(name, def, 0, math.MaxInt64) }

// float reads a number from 0 to high, def when absent.
func (f *form) float(name string, def, high float64) float64 {
	if !f.has(name) {
		return def
	}
	n, err := strconv.ParseFloat(fmt.Sprint(f.in[name]), 64)
	if err != nil || n < 0 || n > high {
		f.fail(name, "The %s must be between 0 and %v.", words(name), high)
	}
	return n
}

func (f *form) text(name, def string, limit int) string {
	if !f.has(name) {
		return def
	}
	s, isText := f.in[name].(string)
	switch {
	case !isText:
		f.fail(name, "The %s must be a string.", words(name))
	case len([]rune(s)) > limit:
		f.fail(name, "The %s may not be greater than %d characters.", words(name), limit)
	}
	return s
}

// word reads text that must be one of a list.
func (f *form) word(name, def string, list ...string) string {
	s := f.text(name, def, 255)
	if f.has(name) && !slices.Contains(list, s) {
		f.fail(name, "The selected %s is invalid.", words(name))
	}
	return s
}

func (f *form) bool(name string, def bool) bool {
	if !f.has(name) {
		return def
	}
	switch fmt.Sprint(f.in[name]) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	f.fail(name, "The %s field must be true or false.", words(name))
	return def
}

// list reads an array, nil when absent.
func (f *form) list(name string) []any {
	if !f.has(name) {
		return nil
	}
	list, isList := f.in[name].([]any)
	if !isList {
		f.fail(name, "The %s must be an array.", words(name))
	}
	return list
}

func (f *form) texts(name string, def []string) []string {
	if !f.has(name) {
		return def
	}
	texts := []string{}
	for i, v := range f.list(name) {
		s, isText := v.(string)
		if !isText {
			f.fail(fmt.Sprintf("%s.%d", name, i), "The %s.%d must be a string.", name, i)
		}
		texts = append(texts, s)
	}
	return texts
}

// object reads a nested object, an empty one when absent. Its errors are those of f.
func (f *form) object(name string) *form {
	sub := &form{prefix: f.prefix + name + ".", errors: f.errors}
	if f.has(name) {
		if v, isObject := f.in[name].(map[string]any); isObject {
			sub.in = v
		} else if list, isList := f.in[name].([]any); !isList || len(list) > 0 { // [] is an empty object to PHP
			f.fail(name, "The %s must be an array.", words(name))
		}
	}
	return sub
}

// refID reads the id of a record that must exist, def when absent.
func refID[T any](f *form, name string, def int64, table map[int64]*T) int64 {
	id := f.int(name, def, math.MinInt64, math.MaxInt64)
	if f.has(name) && f.errors[f.prefix+name] == nil && table[id] == nil {
		f.fail(name, "The selected %s is invalid.", words(name))
	}
	return id
}

// refIDs reads ids of records that must exist.
func refIDs[T any](f *form, name string, def []int64, table map[int64]*T) []int64 {
	if !f.has(name) {
		return def
	}
	ids := []int64{}
	for i, v := range f.list(name) {
		id, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err != nil || table[id] == nil {
			f.fail(fmt.Sprintf("%s.%d", name, i), "The selected %s.%d is invalid.", name, i)
		}
		ids = append(ids, id)
	}
	return ids
}
