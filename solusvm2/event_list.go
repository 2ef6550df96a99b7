package solusvm2

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hvpanels/hvpanels/provisioning"
)

// listParam reads a list. The manual shows JSON text; nobody has published a captured notification, so these forms are accepted, in this order: a value that
// starts with "[" is a JSON array; keys name[] and name[0], name[1]... as PHP writes them; the plain key repeated; text separated by commas or blanks.
//
// A list with an element that cannot be read is not known at all: a part of it would look like the whole.
func listParam[T any](p *params, name string, parse func(string) (T, bool)) provisioning.Opt[[]T] {
	plain, present := p.first(name)
	bracketed, bracketedPresent := p.bracketed(name)
	var elements []string
	switch text := strings.TrimSpace(plain); {
	case strings.HasPrefix(text, "["):
		var ok bool
		if elements, ok = jsonElements(text); !ok {
			p.problem(name, plain, "not a JSON array")
			return provisioning.Opt[[]T]{}
		}
	case bracketedPresent:
		plain, elements = strings.Join(bracketed, ","), splitAll(bracketed)
	case present:
		p.lists = append(p.lists, name)
		plain, elements = strings.Join(p.values[name], ","), splitAll(p.values[name])
		if len(elements) == 0 {
			return provisioning.Null[[]T]()
		}
	default:
		return provisioning.Opt[[]T]{}
	}
	list := make([]T, 0, len(elements))
	for i, element := range elements {
		item, ok := parse(element)
		if !ok {
			p.problem(name, plain, "element "+strconv.Itoa(i+1)+" is not an address")
			return provisioning.Opt[[]T]{}
		}
		list = append(list, item)
	}
	return provisioning.Some(list)
}

// jsonElements returns the texts of a JSON array of strings or of objects with a member "ip"; null and "" are skipped. Anything else is returned as JSON, for the
// caller to judge.
func jsonElements(text string) (elements []string, ok bool) {
	var array []json.RawMessage
	if err := json.Unmarshal([]byte(text), &array); err != nil {
		return nil, false
	}
	for _, raw := range array {
		var object struct {
			IP string `json:"ip"`
		}
		element := string(raw)
		if !bytes.HasPrefix(raw, []byte("{")) {
			_ = json.Unmarshal(raw, &element) // what is not a string stays as it is
		} else if json.Unmarshal(raw, &object) == nil && object.IP != "" {
			element = object.IP
		}
		if element = strings.TrimSpace(element); element != "" && element != "null" {
			elements = append(elements, element)
		}
	}
	return elements, true
}

// bracketed collects the values of name[], name[0], name[1]..., in the order of the numbers.
func (p *params) bracketed(name string) (values []string, present bool) {
	type indexed struct {
		index int
		name  string
	}
	var found []indexed
	for key := range p.values {
		inner, isList := strings.CutPrefix(key, name+"[")
		inner, closed := strings.CutSuffix(inner, "]")
		if !isList || !closed {
			continue
		}
		index := -1
		if inner != "" {
			var err error
			if index, err = strconv.Atoi(inner); err != nil || index < 0 {
				continue
			}
		}
		found = append(found, indexed{index, key})
	}
	slices.SortFunc(found, func(a, b indexed) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.name, b.name)) })
	for _, f := range found {
		p.seen[f.name] = true
		p.lists = append(p.lists, f.name)
		values = append(values, p.values[f.name]...)
	}
	return values, len(found) > 0
}

// splitAll splits texts at commas and blanks; empty parts and the word null are no elements.
func splitAll(texts []string) []string {
	var elements []string
	for _, text := range texts {
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
			if part != "null" {
				elements = append(elements, part)
			}
		}
	}
	return elements
}

// parseListedAddr reads an address, also with the length of its network. A network as such is not an address.
func parseListedAddr(text string) (netip.Addr, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		isNetwork := !p.IsSingleIP() && p.Addr() == p.Masked().Addr()
		return p.Addr().Unmap(), !isNetwork
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), err == nil
}

// parseListedPrefix reads a network or a single address.
func parseListedPrefix(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}
