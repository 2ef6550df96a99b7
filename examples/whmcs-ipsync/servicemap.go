package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hvpanels/hvpanels/solusvm2"
)

// serviceID is the id of a service in WHMCS.
type serviceID int64

// String writes the id as WHMCS's API takes it.
func (id serviceID) String() string { return strconv.FormatInt(int64(id), 10) }

// link says which service of WHMCS a server of the panel belongs to.
type link struct {
	Service serviceID
	UUID    string // of the server; "" when the file does not tell it
}

// links is the whole map.
type links map[solusvm2.ServerID]link

// Columns of the file. The last one may be left out.
var linkColumns = []string{"server_id", "service_id", "server_uuid"}

// readLinks reads a CSV file with a header line. Every error names the line.
func readLinks(r io.Reader) (links, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
	rows.TrimLeadingSpace, rows.Comment = true, '#'
	header, err := rows.Read()
	if err != nil || len(header) < 2 || !slices.Equal(header, linkColumns[:min(len(header), len(linkColumns))]) {
		return nil, fmt.Errorf("the first line must be %s or %s", strings.Join(linkColumns[:2], ","), strings.Join(linkColumns, ","))
	}
	all, servers := links{}, map[serviceID]solusvm2.ServerID{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err // the csv package names the line
		}
		number, _ := rows.FieldPos(0)
		id, l, err := readLink(row)
		if err == nil {
			err = all.add(servers, id, l)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
}

func readLink(row []string) (solusvm2.ServerID, link, error) {
	var ids [2]int64
	for i := range ids {
		n, err := strconv.ParseInt(strings.TrimSpace(row[i]), 10, 64)
		if err != nil || n < 1 {
			return 0, link{}, fmt.Errorf("%s %q is not a number above 0", linkColumns[i], row[i])
		}
		ids[i] = n
	}
	l := link{Service: serviceID(ids[1])}
	if len(row) > 2 {
		l.UUID = strings.ToLower(strings.TrimSpace(row[2]))
	}
	return solusvm2.ServerID(ids[0]), l, nil
}

// add refuses what would let two servers write into one service.
func (m links) add(servers map[serviceID]solusvm2.ServerID, id solusvm2.ServerID, l link) error {
	if _, taken := m[id]; taken {
		return fmt.Errorf("server %d is there twice", id)
	}
	if other, taken := servers[l.Service]; taken {
		return fmt.Errorf("service %d belongs to server %d already", l.Service, other)
	}
	m[id], servers[l.Service] = l, id
	return nil
}

func (m links) csv() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(linkColumns) // a bytes.Buffer does not fail
	for _, id := range slices.Sorted(maps.Keys(m)) {
		_ = w.Write([]string{strconv.FormatInt(int64(id), 10), m[id].Service.String(), m[id].UUID})
	}
	w.Flush()
	return b.Bytes()
}

// serviceMap is the map in the state folder. Another process may replace it at any time with -import, so that every look sees the present one.
type serviceMap struct {
	path string

	mu     sync.Mutex
	seen   os.FileInfo // of the file that was loaded
	loaded links
}

func newServiceMap(dir string) *serviceMap { return &serviceMap{path: filepath.Join(dir, "map.csv")} }

// all returns the present map. It is shared: do not change it. The error wraps os.ErrNotExist before the first import.
func (m *serviceMap) all() (links, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	info, err := os.Stat(m.path) // #nosec G304 G703 -- the user names the folder
	if err != nil {
		return nil, err
	}
	if m.seen != nil && os.SameFile(info, m.seen) && info.ModTime().Equal(m.seen.ModTime()) && info.Size() == m.seen.Size() {
		return m.loaded, nil
	}
	b, err := os.ReadFile(m.path) // #nosec G304 G703 -- as above
	if err != nil {
		return nil, err
	}
	loaded, err := readLinks(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	m.loaded, m.seen = loaded, info
	return loaded, nil
}

// replace makes a file the whole map, and says what that changes.
func (m *serviceMap) replace(file string) (added, changed, removed int, err error) {
	b, err := os.ReadFile(file) // #nosec G304 -- the user names the file
	if err != nil {
		return 0, 0, 0, err
	}
	fresh, err := readLinks(bytes.NewReader(b))
	if err != nil {
		return 0, 0, 0, fmt.Errorf("%s: %w", file, err)
	}
	old, err := m.all()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, 0, err
	}
	for id, l := range fresh {
		if before, known := old[id]; !known {
			added++
		} else if before != l {
			changed++
		}
	}
	removed = len(old) + added - len(fresh)
	return added, changed, removed, writeFile(m.path, fresh.csv())
}
