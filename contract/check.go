package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// options leave the bodies to checkJSON.
var options = openapi3filter.Options{
	MultiError: true, SkipSettingDefaults: true, ExcludeRequestBody: true, AuthenticationFunc: authenticated,
}

// CheckRequest returns the operation of a request, "" when the file has none, and what is wrong with it. body is what Body would give, which is left unread.
func (s *Spec) CheckRequest(r *http.Request, body []byte) (op string, problems []string) {
	rt, params := s.find(r)
	if rt == nil {
		return "", []string{fmt.Sprintf("no such operation: %s %s", r.Method, r.URL.EscapedPath())}
	}
	problems = checkParameters(rt, r, params)
	problems = append(problems, s.checkRequestBody(rt.Operation.RequestBody, r.Header, body)...)
	slices.Sort(problems)
	return rt.Operation.OperationID, problems
}

// checkParameters checks credentials and the parameters in path, query and header.
func checkParameters(rt *route, r *http.Request, path map[string]string) []string {
	problems := flatten(openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r.Clone(r.Context()), PathParams: path, Route: &rt.Route, Options: &options,
	}))
	known := slices.Concat(rt.PathItem.Parameters, rt.Operation.Parameters)
	for name := range r.URL.Query() {
		if known.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			problems = append(problems, fmt.Sprintf("query parameter %q is not documented", name))
		}
	}
	return problems
}

// CheckWebhook returns what is wrong with a call that the panel makes. Only its method, its parameters and its credentials are checked.
func (s *Spec) CheckWebhook(name string, r *http.Request) []string {
	item := s.doc.Webhooks[name]
	if item == nil || item.GetOperation(r.Method) == nil {
		return []string{fmt.Sprintf("no such webhook: %s %s", r.Method, name)}
	}
	problems := checkParameters(&route{Route: routers.Route{Spec: s.doc, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)}}, r, nil)
	slices.Sort(problems)
	return problems
}

func (s *Spec) checkRequestBody(documented *openapi3.RequestBodyRef, header http.Header, body []byte) []string {
	switch {
	case documented == nil && len(body) > 0:
		return []string{"a body where the file has none: " + shorten(body)}
	case documented == nil:
		return nil
	case len(body) == 0 && documented.Value.Required:
		return []string{"the body is missing"}
	case len(body) == 0:
		return nil
	case contentType(header) != jsonType:
		return []string{fmt.Sprintf("the content type is %q", contentType(header))}
	}
	return s.checkJSON(documented.Value.Content[jsonType], body)
}

// CheckAnswer returns what is wrong with the answer to a request.
func (s *Spec) CheckAnswer(r *http.Request, status int, header http.Header, body []byte) []string {
	rt, _ := s.find(r)
	if rt == nil {
		return nil // the request was reported
	}
	return s.checkAnswer(rt, status, header, body)
}

func (s *Spec) checkAnswer(rt *route, status int, header http.Header, body []byte) []string {
	documented := rt.Operation.Responses.Status(status)
	if documented == nil {
		documented = rt.Operation.Responses.Default()
	}
	if documented == nil {
		return s.checkException(rt.Operation.OperationID, status, header, body)
	}
	content := documented.Value.Content
	switch {
	case len(content) == 0 && len(body) > 0:
		return []string{"a body where the file has none: " + shorten(body)}
	case len(content) == 0, len(body) == 0 && documented.Value.Extensions["x-body-optional"] == true:
		return nil
	case content[contentType(header)] == nil:
		return []string{fmt.Sprintf("the content type is %q: %s", contentType(header), shorten(body))}
	case contentType(header) != jsonType:
		return nil // text of a proxy or a router
	}
	problems := s.checkJSON(content[jsonType], body)
	slices.Sort(problems)
	return problems
}

// checkException holds an answer that the file does not list to the table of exceptions.
func (s *Spec) checkException(op string, status int, header http.Header, body []byte) []string {
	i := slices.IndexFunc(s.allow, func(e Exception) bool { return e.Status == status && (e.Operation == "" || e.Operation == op) })
	switch {
	case i < 0:
		return []string{"the status is not documented: " + shorten(body)}
	case len(body) == 0, s.allow[i].Kind != "" && s.allow[i].Kind == contentType(header):
		return nil
	case contentType(header) != jsonType:
		return []string{fmt.Sprintf("the content type is %q: %s", contentType(header), shorten(body))}
	}
	return s.checkJSON(s.envelope, body)
}

func contentType(header http.Header) string {
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return kind
}

// flatten turns the errors of the validator into one line each.
func flatten(err error) []string {
	switch e := err.(type) { //nolint:errorlint // layer by layer: errors.As would skip to the first of many
	case nil:
		return nil
	case openapi3.MultiError:
		var all []string
		for _, one := range e {
			all = append(all, flatten(one)...)
		}
		return all
	case *openapi3filter.RequestError:
		if e.Parameter != nil {
			return []string{fmt.Sprintf("%s parameter %q: %s", e.Parameter.In, e.Parameter.Name, strings.ReplaceAll(e.Error(), "\n", " "))}
		}
	}
	return []string{err.Error()}
}

// authenticated wants the credentials that the file names, whatever they are worth: the panels check that.
func authenticated(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	header, scheme := in.RequestValidationInput.Request.Header, in.SecurityScheme
	switch {
	case scheme.Type == "http" && scheme.Scheme == "bearer":
		if token, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer "); !ok || token == "" {
			return errors.New("there is no bearer token")
		}
	case scheme.Type == "apiKey" && scheme.In == openapi3.ParameterInHeader:
		if header.Get(scheme.Name) == "" {
			return fmt.Errorf("there is no header %s", scheme.Name)
		}
	default:
		return fmt.Errorf("security scheme %s of the file is not known here", in.SecuritySchemeName)
	}
	return nil
}

func shorten(body []byte) string {
	const most = 200
	if len(body) > most {
		return string(body[:most]) + "..."
	}
	return string(body)
}
