package hvpanels_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	// secretName is what fields are called that hold a secret.
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|tokens?$|api_?key|credential)`)
	// plainText is a type that prints what it holds.
	plainText = regexp.MustCompile(`^(\*|\[\]|map\[string\]|(provisioning\.)?Opt\[|(rest\.)?(List|Maybe)\[)*((rest\.)?Text|string|byte|any|json\.RawMessage)\]?$`)
	// secretType masks itself, but not where fmt cannot call its methods: in a field that is not exported.
	secretType = regexp.MustCompile(`^(\[\]|map\[string\])?(provisioning\.)?Secret$`)
)

// noSecrets are fields whose names only sound like it.
var noSecrets = []string{"solusvm2.EventOptions.SecretParam"}

// TestFieldsOfExportedTypesMaskTheirSecrets holds every exported struct against the two ways in which a secret gets printed: as plain text, and as a Secret that fmt
// cannot mask. That a Secret masks itself with every verb is shown by the tests of provisioning.
func TestFieldsOfExportedTypesMaskTheirSecrets(t *testing.T) {
	t.Parallel()
	checked := 0
	for folder := range mayImport {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, f := range structFields(parsed) {
				checked++
				kind := types.ExprString(f.field.Type)
				for _, field := range f.field.Names {
					at := parsed.Name.Name + "." + f.owner + "." + field.Name
					if slices.Contains(noSecrets, at) {
						continue
					}
					if field.IsExported() {
						assert.False(t, secretName.MatchString(field.Name) && plainText.MatchString(kind), "%s is a %s: it must be a provisioning.Secret", at, kind)
					} else {
						assert.False(t, secretType.MatchString(kind), "%s is not exported, so fmt prints it: keep a *provisioning.Secret or a func", at)
					}
				}
			}
		}
	}
	assert.Greater(t, checked, 500, "where are the types?")
}

// structField is a field of an exported struct type, or of an anonymous struct within one.
type structField struct {
	owner string
	field *ast.Field
}

func structFields(f *ast.File) []structField {
	var all []structField
	owner := ""
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			owner = n.Name.Name
			return n.Name.IsExported()
		case *ast.StructType:
			for _, field := range n.Fields.List {
				all = append(all, structField{owner, field})
			}
		case *ast.BlockStmt:
			return false
		}
		return true
	})
	return all
}
