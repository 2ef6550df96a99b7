package hvpanels_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/internal/opdoc"
)

const module = "github.com/hvpanels/hvpanels"

type listedPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Export     string // with the argument -export: the file with the package's types
}

func goList(t *testing.T, args ...string) []listedPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Standard,Imports,Export"}, args...)...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []listedPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

// mayImport says which packages of this module each of its folders may import, besides those below itself.
var mayImport = map[string][]string{
	".":                             {},
	"provisioning":                  {},
	"provisioning/provisioningtest": {"provisioning"},
	"internal/rest":                 {"provisioning"},
	"internal/webhook":              {"provisioning"},
	"internal/opdoc":                {},
	"internal/fakeserver":           {"provisioning", "provisioning/provisioningtest"},
	"virtfusion":                    {"provisioning", "internal/rest", "internal/webhook"},
	"virtfusion/virtfusiontest":     {"provisioning", "provisioning/provisioningtest", "internal/fakeserver"},
	"solusvm2":                      {"provisioning", "internal/rest", "internal/webhook"},
	"solusvm2/solusvm2test":         {"provisioning", "provisioning/provisioningtest", "internal/fakeserver"},
	"ospabpanel":                    {"provisioning", "internal/rest"},
	"ospabpanel/ospabpaneltest":     {"provisioning", "provisioning/provisioningtest", "internal/fakeserver"},
	"cmd/panelsim":                  {"provisioning", "provisioning/provisioningtest", "virtfusion/virtfusiontest", "solusvm2/solusvm2test", "ospabpanel/ospabpaneltest"},
}

func TestPackagesImportOnlyWhatTheHouseAllows(t *testing.T) {
	t.Parallel()
	for _, p := range goList(t, "./...") {
		folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if folder == "" {
			folder = "."
		}
		allowed, known := mayImport[folder]
		if !assert.True(t, known, "%s is not in the table of the house", folder) {
			continue
		}
		for _, imported := range p.Imports {
			ours, isOurs := strings.CutPrefix(imported, module+"/")
			if isOurs {
				assert.Contains(t, allowed, ours, "%s must not import %s", folder, ours)
			} else if folder == "provisioning" {
				assert.NotContains(t, strings.SplitN(imported, "/", 2)[0], ".", "provisioning uses the standard library only, not %s", imported)
			}
			assert.NotContains(t, imported, "testify", "%s: programs link it", folder)
		}
	}
}

func TestTheRootModuleLinksOnlyReviewedPackages(t *testing.T) {
	t.Parallel()
	var linked []string
	for _, p := range goList(t, "-deps", "./...") {
		if !p.Standard && !strings.HasPrefix(p.ImportPath, module) {
			linked = append(linked, p.ImportPath)
		}
	}
	slices.Sort(linked)
	reviewed, err := os.ReadFile("testdata/linked-packages.txt")
	require.NoError(t, err)
	assert.Equal(t, string(reviewed), strings.Join(linked, "\n")+"\n", "review the dependency, then put it into testdata/linked-packages.txt")
}

// TestEveryMethodNamesADocumentedOperation holds the "// API:" lines of each client against the panel's list of operations: every one is implemented once, none is invented. What a client leaves out stands
// with its reason in a list of its own.
func TestEveryMethodNamesADocumentedOperation(t *testing.T) {
	t.Parallel()
	for folder, list := range map[string]string{"virtfusion": "virtfusion", "ospabpanel": "ospab", "solusvm2": "solusvm2"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			documented := operations(t, list)
			implemented := map[string]string{}
			all, err := opdoc.Read(folder)
			require.NoError(t, err)
			for _, op := range all {
				assert.Contains(t, documented, op.Name, "%s invents an operation", op.File)
				assert.NotContains(t, implemented, op.Name, "%s implements an operation that exists in %s", op.File, implemented[op.Name])
				implemented[op.Name] = op.File
			}
			omitted := operations(t, list+"-omitted")
			for _, op := range documented {
				if slices.Contains(omitted, op) {
					assert.NotContains(t, implemented, op, "it is on the list of what is left out")
				} else {
					assert.Contains(t, implemented, op, "no method stands for it")
				}
			}
			t.Logf("%s: %d of %d documented operations, %d left out for a reason", folder, len(implemented), len(documented), len(omitted))
		})
	}
}

func operations(t *testing.T, panel string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "operations", panel+".tsv"))
	if strings.HasSuffix(panel, "-omitted") && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	var all []string
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		cells := strings.Split(line, "\t")
		all = append(all, cells[0]+" "+cells[1])
	}
	return all
}

// TestTheREADMENamesTestsThatExist is about names such as `TestAnswers`, and about the beginnings of names: `TestH03...`.
func TestTheREADMENamesTestsThatExist(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		tests.Write(source)
		return err
	}))
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)(\\.\\.\\.)?`").FindAllStringSubmatch(string(readme), -1)
	require.Greater(t, len(named), 30)
	for _, m := range named {
		declaration := "\nfunc " + m[1]
		if m[2] == "" {
			declaration += "("
		}
		assert.True(t, strings.Contains(tests.String(), declaration), "README.md names %s", m[1])
	}
}
