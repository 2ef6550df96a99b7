package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/solusvm2"
)

func TestMapsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want links
		err  string
	}{
		"two columns":           {"server_id,service_id\n101,1001\n102,1002\n", links{101: {Service: 1001}, 102: {Service: 1002}}, ""},
		"three columns":         {"server_id,service_id,server_uuid\n101,1001,ABC\n102,1002,\n", links{101: {1001, "abc"}, 102: {Service: 1002}}, ""},
		"a spreadsheet's file":  {"\xef\xbb\xbfserver_id,service_id\r\n 101, 1001\r\n", links{101: {Service: 1001}}, ""},
		"comments":              {"# mine\nserver_id,service_id\n# more\n101,1001\n", links{101: {Service: 1001}}, ""},
		"no servers":            {"server_id,service_id\n", links{}, ""},
		"nothing":               {"", nil, "the first line must be server_id,service_id or server_id,service_id,server_uuid"},
		"no header":             {"101,1001\n", nil, "the first line must be server_id,service_id"},
		"columns turned round":  {"service_id,server_id\n1001,101\n", nil, "the first line must be"},
		"more columns":          {"server_id,service_id,server_uuid,x\n", nil, "the first line must be"},
		"a missing column":      {"server_id,service_id\n101,1001\n102\n", nil, "line 3"},
		"a word":                {"server_id,service_id\n101,vps\n", nil, `line 2: service_id "vps" is not a number above 0`},
		"a server of id 0":      {"server_id,service_id\n0,1001\n", nil, `line 2: server_id "0" is not a number above 0`},
		"a server twice":        {"server_id,service_id\n101,1001\n101,1002\n", nil, "line 3: server 101 is there twice"},
		"a service for two":     {"server_id,service_id\n101,1001\n102,1001\n", nil, "line 3: service 1001 belongs to server 101 already"},
		"a number beyond int64": {"server_id,service_id\n99999999999999999999,1\n", nil, "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readLinks(strings.NewReader(c.file))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			again, err := readLinks(strings.NewReader(string(got.csv())))
			require.NoError(t, err)
			assert.Equal(t, got, again, "what is stored is read the same")
		})
	}
}

func TestTheExampleMapIsOne(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("map.csv")
	require.NoError(t, err)
	m, err := readLinks(strings.NewReader(string(b)))
	require.NoError(t, err)
	assert.Equal(t, links{101: {1001, "7b0c6f4e-5f5e-4c55-9d5f-0a4d6a2d6b11"}, 102: {Service: 1002}, 117: {Service: 1044}}, m)
}

func TestAMapThatIsReplacedIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := newServiceMap(dir)
	_, err := m.all()
	require.ErrorIs(t, err, os.ErrNotExist)
	for i := range 20 { // files of the same size, within the same tick of the clock
		want := links{solusvm2.ServerID(100 + i): {Service: serviceID(200 + i)}}
		require.NoError(t, writeFile(filepath.Join(dir, "map.csv"), want.csv()))
		got, err := m.all()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func FuzzReadLinks(f *testing.F) {
	f.Add("server_id,service_id,server_uuid\n101,1001,\n")
	f.Add("server_id,service_id\n101,\"10\n01\"\n")
	f.Fuzz(func(t *testing.T, file string) {
		m, err := readLinks(strings.NewReader(file))
		if err != nil {
			return
		}
		services := map[serviceID]bool{}
		for id, l := range m {
			if id < 1 || l.Service < 1 || services[l.Service] {
				t.Fatalf("%q gives %v", file, m)
			}
			services[l.Service] = true
		}
	})
}
