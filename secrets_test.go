package hvpanels_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/virtfusion"
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

// secretStructs are the exported structs that hold a Secret, or anything, where encoding/json finds it.
var secretStructs = []any{
	provisioning.Console{}, provisioning.CreateProgress{}, provisioning.Created{}, provisioning.Instance{}, provisioning.Link{}, provisioning.OwnerAccount{},
	provisioning.PasswordReset{}, provisioning.Rebuilt{}, provisioning.Rescue{}, provisioning.Usage{},
	virtfusion.DNSService{}, virtfusion.Hypervisor{}, virtfusion.Login{}, virtfusion.Server{}, virtfusion.ServerPasswordReset{}, virtfusion.ServerSettings{},
	virtfusion.User{}, virtfusion.UserPassword{}, virtfusion.VNC{}, virtfusion.WebhookOptions{},
	solusvm2.Backup{}, solusvm2.BackupNode{}, solusvm2.CreateComputeResourceRequest{}, solusvm2.CreateServerRequest{}, solusvm2.CreateUserRequest{},
	solusvm2.Disk{}, solusvm2.EventOptions{}, solusvm2.EventSetup{}, solusvm2.PasswordReset{}, solusvm2.Project{}, solusvm2.ReinstallServerRequest{},
	solusvm2.SecretJSON{}, solusvm2.Server{}, solusvm2.ServerSettings{}, solusvm2.Storage{}, solusvm2.Token{}, solusvm2.UpdateUserRequest{}, solusvm2.User{},
	solusvm2.VNC{},
	ospabpanel.RegisterRequest{}, ospabpanel.Session{},
}

// TestNoLogShowsTheSecretsOfAStruct fails for an exported struct that is not in secretStructs, and for one without a LogValue that masks: log/slog's JSON
// handler would encode it with encoding/json, which gives the real value.
func TestNoLogShowsTheSecretsOfAStruct(t *testing.T) {
	t.Parallel()
	const planted = "plantedvalue"
	var tested []string
	for _, v := range secretStructs {
		name := reflect.TypeOf(v).String()
		tested = append(tested, name)
		filled := reflect.New(reflect.TypeOf(v))
		plant(filled.Elem(), planted, nil)
		encoded, err := json.Marshal(filled.Interface())
		require.NoError(t, err)
		require.Contains(t, string(encoded), planted, "%s shows it without a LogValue", name)
		for form, v := range map[string]any{"value": filled.Elem().Interface(), "pointer": filled.Interface()} {
			var text, js bytes.Buffer
			for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&js, nil)} {
				slog.New(h).With("w", v).WithGroup("g").Info("x", "v", v, slog.Group("h", "v", v))
			}
			for log, got := range map[string]string{"text": text.String(), "JSON": js.String()} {
				assert.False(t, strings.Contains(got, planted), "the %s log shows the secret in the %s of %s", log, form, name)
				assert.NotContains(t, got, "!ERROR", "%s of %s in the %s log", form, name, log)
			}
		}
	}
	assert.ElementsMatch(t, structsWithSecrets(t, "provisioning", "virtfusion", "solusvm2", "ospabpanel"), tested, "secretStructs must list exactly these")
}

// plant puts a secret wherever encoding/json finds one.
func plant(v reflect.Value, secret string, within []reflect.Type) {
	if v.Type() == reflect.TypeFor[provisioning.Secret]() {
		v.SetString(secret)
		return
	}
	if slices.Contains(within, v.Type()) || !v.CanSet() {
		return
	}
	within = append(slices.Clip(within), v.Type())
	switch v.Kind() {
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf([]*struct{ Password provisioning.Secret }{{provisioning.Secret(secret)}}))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		plant(v.Elem(), secret, within)
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 { // JSON text
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			plant(v.Index(0), secret, within)
		}
	case reflect.Map:
		elem := reflect.New(v.Type().Elem()).Elem()
		plant(elem, secret, within)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.Zero(v.Type().Key()), elem)
	case reflect.Struct:
		for i := range v.NumField() {
			plant(v.Field(i), secret, within)
		}
	}
}

// structsWithSecrets reads the packages of these folders.
func structsWithSecrets(t *testing.T, folders ...string) (names []string) {
	t.Helper()
	exports := map[string]string{}
	for _, p := range goList(t, "-export", "-deps", "./...") {
		exports[p.ImportPath] = p.Export
	}
	packages := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, folder := range folders {
		pkg, err := packages.Import(module + "/" + folder)
		require.NoError(t, err)
		for _, name := range pkg.Scope().Names() {
			if def, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && def.Exported() && !def.IsAlias() {
				if _, ok := def.Type().Underlying().(*types.Struct); ok && holdsSecret(def.Type(), map[types.Type]bool{}) {
					names = append(names, pkg.Name()+"."+name)
				}
			}
		}
	}
	return names
}

// holdsSecret reports whether encoding/json may find a Secret in t. In a field of type any it may find everything.
func holdsSecret(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if named, ok := t.(*types.Named); ok {
		if named.String() == module+"/provisioning.Secret" {
			return true
		}
		for arg := range named.TypeArgs().Types() { // such as of an Opt, whose value is not exported
			if holdsSecret(arg, seen) {
				return true
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return u.Empty()
	case *types.Map:
		return holdsSecret(u.Key(), seen) || holdsSecret(u.Elem(), seen)
	case interface{ Elem() types.Type }: // pointers, slices and arrays
		return holdsSecret(u.Elem(), seen)
	case *types.Struct:
		for i := range u.NumFields() {
			f := u.Field(i)
			if (f.Exported() || f.Embedded()) && reflect.StructTag(u.Tag(i)).Get("json") != "-" && holdsSecret(f.Type(), seen) {
				return true
			}
		}
	}
	return false
}
