package contract

import (
	"bytes"
	"errors"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	jsonType     = "application/json"
	documentURL  = "file:///openapi.json"
	errorPointer = "/components/schemas/Error"
)

// compile prepares the schemas of all JSON bodies. The schemas of OpenAPI 3.1 are JSON Schema 2020-12, so the whole file is given to a validator for that:
// the one of kin-openapi prepares a schema again for every value, and falls back to the rules of OpenAPI 3.0 where a schema refers to another.
func (s *Spec) compile() error {
	text, err := s.doc.MarshalJSON()
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(documentURL, document); err != nil {
		return err
	}
	s.schemas = map[*openapi3.MediaType]*jsonschema.Schema{}
	for _, rt := range s.routes {
		at := pointer("", "paths", rt.Path, strings.ToLower(rt.Method))
		if in := rt.Operation.RequestBody; in != nil {
			if err := s.compileContent(c, in.Value.Content, place(in.Ref, pointer(at, "requestBody"))); err != nil {
				return err
			}
		}
		for status, out := range rt.Operation.Responses.Map() {
			if err := s.compileContent(c, out.Value.Content, place(out.Ref, pointer(at, "responses", status))); err != nil {
				return err
			}
		}
	}
	if envelope := s.doc.Components.Schemas["Error"]; envelope != nil {
		s.envelope = &openapi3.MediaType{Schema: envelope}
		s.schemas[s.envelope], err = c.Compile(documentURL + "#" + errorPointer)
	}
	return err
}

func (s *Spec) compileContent(c *jsonschema.Compiler, content openapi3.Content, at string) error {
	body := content[jsonType]
	if body == nil || body.Schema == nil || s.schemas[body] != nil {
		return nil
	}
	schema, err := c.Compile(documentURL + "#" + pointer(at, "content", jsonType, "schema"))
	s.schemas[body] = schema
	return err
}

// place is where an object of the file is written: where its reference points, or where it was found.
func place(reference, found string) string {
	if target, ok := strings.CutPrefix(reference, "#"); ok {
		return target
	}
	return found
}

// pointer appends elements to a JSON pointer.
func pointer(base string, elements ...string) string {
	for _, e := range elements {
		base += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(e)
	}
	return base
}

// checkJSON holds a body to its schema, and names the members that the schema does not.
func (s *Spec) checkJSON(body *openapi3.MediaType, text []byte) []string {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return []string{"the body is no JSON: " + shorten(text)}
	}
	schema := s.schemas[body]
	if schema == nil {
		return nil
	}
	problems := undocumented("", []*openapi3.Schema{body.Schema.Value}, v)
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(v); errors.As(err, &invalid) {
		_, parts, _ := strings.Cut(invalid.Error(), "\n") // the first line names the schema
		problems = append(problems, "the body "+strings.TrimPrefix(parts, "- "))
	} else if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}
