package contract

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// TestTheWorkloadsCallEachMethodOfTheClients reads the workloads. That each operation is exercised is seen from the requests (see summary); several methods can
// stand for one operation.
func TestTheWorkloadsCallEachMethodOfTheClients(t *testing.T) {
	t.Parallel()
	for panel, client := range map[string]reflect.Type{"virtfusion": reflect.TypeFor[virtfusion.Client](), "solusvm2": reflect.TypeFor[solusvm2.Client]()} {
		source := workloadSource(t, panel)
		for field := range client.Fields() {
			if !field.IsExported() {
				continue
			}
			for method := range field.Type.Methods() {
				called := strings.Contains(source, "."+field.Name+"."+method.Name+"(") || strings.Contains(source, "."+field.Type.Elem().Name()+")."+method.Name)
				assert.True(t, called, "%s: no workload calls %s.%s", panel, field.Name, method.Name)
			}
		}
	}
	source := workloadSource(t, "ospab")
	for name, client := range map[string]reflect.Type{
		"sync": reflect.TypeFor[*ospabpanel.Sync](), "auth": reflect.TypeFor[*ospabpanel.Auth](), "api": reflect.TypeFor[*ospabpanel.UserClient](),
	} {
		for method := range client.Methods() {
			takesContext := method.Type.NumIn() > 1 && method.Type.In(1).String() == "context.Context" // the others make no requests
			isRaw := method.Name == "Do"                                                               // it sends what the caller says
			assert.True(t, !takesContext || isRaw || strings.Contains(source, "."+name+"."+method.Name+"("), "ospab: no workload calls %s.%s", name, method.Name)
		}
	}
}

func workloadSource(t *testing.T, panel string) string {
	t.Helper()
	files, err := filepath.Glob(panel + "*_test.go")
	require.NoError(t, err)
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all.Write(text)
	}
	require.NotZero(t, all.Len())
	return all.String()
}
