package fakeserver

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one operation. http.ServeMux cannot hold the paths of real panels: "/servers/user/{userId}" and "/servers/{serverId}/templates" conflict there.
type route struct {
	op, method string
	segments   []string // of the escaped path; "{name}" stands for any one
	handler    http.HandlerFunc
}

func isParam(segment string) bool { return strings.HasPrefix(segment, "{") }

// Handle adds an operation: Handle("getServer", "GET /api/v1/servers/{serverId}", h). The handler reads parameters with Request.PathValue. Where several routes match a
// path, the one with the first literal segment wins.
func (s *Server) Handle(op, pattern string, h http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	s.routes = append(s.routes, &route{op: op, method: method, segments: strings.Split(path, "/"), handler: h})
}

// find returns the handler of a request, its operation id ("" for the fallback) and the path parameters.
func (s *Server) find(r *http.Request) (h http.HandlerFunc, op string, values map[string]string) {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	var best *route
	var allowed []string
	for _, rt := range s.routes {
		if !rt.matches(segments) {
			continue
		}
		allowed = append(allowed, rt.method)
		if rt.method == cmp.Or(r.Method, http.MethodGet) && (best == nil || rt.before(best)) {
			best = rt
		}
	}
	if best == nil {
		slices.Sort(allowed)
		return func(w http.ResponseWriter, r *http.Request) { s.fallback(w, r, slices.Compact(allowed)) }, "", nil
	}
	values = map[string]string{}
	for i, segment := range best.segments {
		if isParam(segment) {
			values[strings.Trim(segment, "{}")] = unescape(segments[i])
		}
	}
	return best.handler, best.op, values
}

func (rt *route) matches(segments []string) bool {
	if len(segments) != len(rt.segments) {
		return false
	}
	for i, want := range rt.segments {
		if isParam(want) && segments[i] != "" {
			continue
		}
		if want != unescape(segments[i]) {
			return false
		}
	}
	return true
}

// before reports whether rt has a literal segment where other, which matches the same path, has a parameter first.
func (rt *route) before(other *route) bool {
	for i := range rt.segments {
		if a, b := isParam(rt.segments[i]), isParam(other.segments[i]); a != b {
			return b
		}
	}
	return false
}

func unescape(segment string) string {
	if plain, err := url.PathUnescape(segment); err == nil {
		return plain
	}
	return segment
}
