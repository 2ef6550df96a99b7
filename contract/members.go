package contract

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// undocumented lists the members of a JSON value that none of its schemas names. A schema that names no member at all lets everything pass.
func undocumented(path string, schemas []*openapi3.Schema, v any) []string {
	var found []string
	parts := branches(schemas)
	switch v := v.(type) {
	case map[string]any:
		if slices.ContainsFunc(parts, takesAnyMember) {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member := path + "/" + name
			known := membersNamed(parts, name)
			if known == nil {
				found = append(found, fmt.Sprintf("%s is not documented", member))
				continue
			}
			found = append(found, undocumented(member, known, v[name])...)
		}
	case []any:
		var items []*openapi3.Schema
		for _, p := range parts {
			if p.Items != nil {
				items = append(items, p.Items.Value)
			}
		}
		for i, item := range v {
			found = append(found, undocumented(fmt.Sprintf("%s/%d", path, i), items, item)...)
		}
	}
	return found
}

// branches adds the parts of composed schemas to the schemas. It leaves out what holds parts only.
func branches(schemas []*openapi3.Schema) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, s := range schemas {
		parts := slices.Concat(s.AllOf, s.AnyOf, s.OneOf)
		if len(parts) == 0 || len(s.Properties) > 0 || s.Items != nil {
			all = append(all, s)
		}
		for _, part := range parts {
			all = append(all, branches([]*openapi3.Schema{part.Value})...)
		}
	}
	return all
}

// takesAnyMember is about schemas that name no member. That a panel may show more than the file names does not allow a simulated panel to.
func takesAnyMember(s *openapi3.Schema) bool {
	isObject := s.Type == nil || s.Type.Includes(openapi3.TypeObject)
	isClosed := s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has
	return isObject && !isClosed && len(s.Properties) == 0 && s.AdditionalProperties.Schema == nil
}

// membersNamed returns the schemas of one member, nil when it is not documented.
func membersNamed(parts []*openapi3.Schema, name string) []*openapi3.Schema {
	var known []*openapi3.Schema
	for _, p := range parts {
		if member := p.Properties[name]; member != nil {
			known = append(known, member.Value)
		} else if more := p.AdditionalProperties.Schema; more != nil {
			known = append(known, more.Value)
		}
	}
	return known
}
