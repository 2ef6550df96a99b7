// Package contract holds the clients and the simulated panels to the OpenAPI files in testdata/openapi. A Recorder stands between a client and a panel and
// checks every request and every answer that passes; the tests drive each operation of each client through one.
//
// It is stricter than OpenAPI asks for, because the panels ignore what they do not know: a query parameter or a member of a JSON object that the file does not
// name is a violation too, and so is a body where the file has none.
package contract

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Exception lets an answer pass whose status the file does not list for the operation. Its body, if there is one, is still held to the schema named Error,
// unless it is of another kind that the exception names.
type Exception struct {
	Operation string // "" for every operation
	Status    int
	Kind      string // content type besides JSON, or ""
	Reason    string
}

// Spec is one OpenAPI file. It is safe for concurrent use.
type Spec struct {
	doc      *openapi3.T
	prefix   string // of every path, from the first server of the file
	routes   []*route
	schemas  map[*openapi3.MediaType]*jsonschema.Schema // of each JSON body
	envelope *openapi3.MediaType                        // of errors, the schema named Error
	allow    []Exception
}

type route struct {
	routers.Route
	segments []string // of the escaped path; "{name}" stands for any one
}

// Load reads an OpenAPI 3.1 file and checks that it is a valid one. The examples in it are not checked.
func Load(file string, allow ...Exception) (*Spec, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s := &Spec{doc: doc, allow: allow}
	if len(doc.Servers) > 0 {
		_, afterScheme, _ := strings.Cut(doc.Servers[0].URL, "//")
		if _, path, ok := strings.Cut(afterScheme, "/"); ok {
			s.prefix = "/" + path
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			s.routes = append(s.routes, &route{
				Route:    routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
				segments: strings.Split(s.prefix+path, "/"),
			})
		}
	}
	if err := s.compile(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	slices.SortFunc(s.routes, func(a, b *route) int { return cmp.Compare(a.Operation.OperationID, b.Operation.OperationID) })
	return s, nil
}

// Operation is one operation of a file.
type Operation struct{ ID, Method, Path string }

// Operations lists the operations of the file in the order of their ids.
func (s *Spec) Operations() []Operation {
	all := make([]Operation, 0, len(s.routes))
	for _, rt := range s.routes {
		all = append(all, Operation{rt.Operation.OperationID, rt.Method, rt.Path})
	}
	return all
}

// byID returns an operation, nil when the file has none with this id.
func (s *Spec) byID(id string) *route {
	i := slices.IndexFunc(s.routes, func(rt *route) bool { return rt.Operation.OperationID == id })
	if i < 0 {
		return nil
	}
	return s.routes[i]
}

// find returns the operation of a request and its path parameters, nil when the file has no such operation. Where several paths match, the one with the first
// literal segment wins.
func (s *Spec) find(r *http.Request) (best *route, values map[string]string) {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for _, rt := range s.routes {
		if rt.Method == r.Method && rt.matches(segments) && (best == nil || rt.before(best)) {
			best = rt
		}
	}
	if best == nil {
		return nil, nil
	}
	values = map[string]string{}
	for i, segment := range best.segments {
		if isParam(segment) {
			values[strings.Trim(segment, "{}")] = unescape(segments[i])
		}
	}
	return best, values
}

func (rt *route) matches(segments []string) bool {
	return slices.EqualFunc(rt.segments, segments, func(want, got string) bool { return isParam(want) && got != "" || want == unescape(got) })
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

func isParam(segment string) bool { return strings.HasPrefix(segment, "{") }

func unescape(segment string) string {
	if plain, err := url.PathUnescape(segment); err == nil {
		return plain
	}
	return segment
}
