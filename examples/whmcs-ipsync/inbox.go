package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// inbox keeps notifications on disk, one JSON file each, from before the panel is answered until what they asked for was seen to be done. What a person has to
// look at waits in a folder of its own, one file for each server.
type inbox struct{ waiting, failed string }

// notice is one stored notification.
type notice struct {
	file     string
	Received time.Time      `json:"received"`
	Event    solusvm2.Event `json:"event"` // holds no secret
	// Failed and Reason are set once it waits for a person.
	Failed time.Time `json:"failed,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

func (n notice) server() solusvm2.ServerID { return serverOf(filepath.Base(n.file)) }

// openInbox makes the folders, readable by the user only.
func openInbox(dir string) (*inbox, error) {
	in := &inbox{waiting: filepath.Join(dir, "inbox"), failed: filepath.Join(dir, "failed")}
	for _, folder := range []string{in.waiting, in.failed} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	return in, nil
}

const noticeSuffix = ".json"

// sweep removes what a crash left of files that were being written. Only the process that holds the state folder may do it.
func (in *inbox) sweep() error {
	unfinished, err := filepath.Glob(filepath.Join(in.waiting, ".*"))
	for _, file := range unfinished {
		err = errors.Join(err, removeFile(file))
	}
	return err
}

// store writes a notification about a server to disk. It returns nil only when it survives a crash.
func (in *inbox) store(ctx context.Context, id solusvm2.ServerID, e solusvm2.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	b, err := json.Marshal(notice{Received: now.UTC(), Event: e})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(in.waiting, newName(id, now)), b)
}

// newName begins with the id of the server, so that grouping needs no reading, and sorts by time.
func newName(id solusvm2.ServerID, now time.Time) string {
	return fmt.Sprintf("%d-%020d-%s%s", id, now.UnixNano(), rand.Text()[:8], noticeSuffix)
}

// serverOf is the server that a file is about, 0 for files that are none of ours, such as those of a write that a crash cut short.
func serverOf(name string) solusvm2.ServerID {
	if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, noticeSuffix) {
		return 0
	}
	number, _, _ := strings.Cut(strings.TrimSuffix(name, noticeSuffix), "-")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return solusvm2.ServerID(id)
}

// servers returns how many notifications wait for each server.
func (in *inbox) servers() (map[solusvm2.ServerID]int, error) {
	entries, err := os.ReadDir(in.waiting)
	if err != nil {
		return nil, err
	}
	counts := map[solusvm2.ServerID]int{}
	for _, e := range entries {
		if id := serverOf(e.Name()); id > 0 {
			counts[id]++
		}
	}
	return counts, nil
}

// load returns the notifications that wait for a server now, oldest first.
func (in *inbox) load(id solusvm2.ServerID) ([]notice, error) {
	return readNotices(in.waiting, func(of solusvm2.ServerID) bool { return of == id })
}

// failures returns what waits for a person, in the order of the servers.
func (in *inbox) failures() ([]notice, error) {
	all, err := readNotices(in.failed, func(solusvm2.ServerID) bool { return true })
	slices.SortFunc(all, func(a, b notice) int { return cmp.Compare(a.server(), b.server()) })
	return all, err
}

func readNotices(folder string, wanted func(solusvm2.ServerID) bool) ([]notice, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var all []notice
	for _, e := range entries {
		if id := serverOf(e.Name()); id < 1 || !wanted(id) {
			continue
		}
		file := filepath.Join(folder, e.Name())
		b, err := os.ReadFile(file) // #nosec G304 G703 -- a name of ours in our own folder
		if errors.Is(err, os.ErrNotExist) {
			continue // done in the meantime
		}
		if err != nil {
			return nil, err
		}
		var n notice
		_ = json.Unmarshal(b, &n) // the name tells the server, and that is enough to look at it
		n.file = file
		all = append(all, n)
	}
	return all, nil
}

// done removes notifications of a server, and what waited for a person because of it.
func (in *inbox) done(id solusvm2.ServerID, notices []notice) error {
	return errors.Join(remove(notices), removeFile(in.failedFile(id)))
}

func (in *inbox) failedFile(id solusvm2.ServerID) string {
	return filepath.Join(in.failed, strconv.FormatInt(int64(id), 10)+noticeSuffix)
}

// fail keeps the last of the notifications of a server for a person, with the reason, and removes the others. Without a notification, the one that is kept
// already stays.
func (in *inbox) fail(id solusvm2.ServerID, notices []notice, reason error) error {
	last := notices
	if len(last) == 0 {
		var err error
		if last, err = readNotices(in.failed, func(of solusvm2.ServerID) bool { return of == id }); err != nil {
			return err
		}
	}
	kept := notice{Received: time.Now().UTC(), Event: solusvm2.Event{ServerID: provisioning.Some(id)}}
	if len(last) > 0 {
		kept = last[len(last)-1]
	}
	if kept.Failed.IsZero() || kept.Reason != reason.Error() {
		kept.Failed, kept.Reason = time.Now().UTC(), reason.Error()
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	if err := writeFile(in.failedFile(id), b); err != nil {
		return err
	}
	return remove(notices)
}

// retry puts back what waits for a person, as far as wanted says so, and returns how many that were.
func (in *inbox) retry(wanted func(solusvm2.ServerID) bool) (int, error) {
	all, err := in.failures()
	count := 0
	for _, n := range all {
		if !wanted(n.server()) {
			continue
		}
		if err := os.Rename(n.file, filepath.Join(in.waiting, newName(n.server(), time.Now()))); err != nil {
			return count, err
		}
		count++
	}
	return count, err
}

func remove(notices []notice) error {
	var errs []error
	for _, n := range notices {
		errs = append(errs, removeFile(n.file))
	}
	return errors.Join(errs...)
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) { // #nosec G703 -- the user names the folder
		return err
	}
	return nil
}

// writeFile writes b to disk and moves it into place: after a crash the file has its old content or the new one, and once this function has returned nil, the
// new one.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path) // #nosec G703 -- the user names the folder
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name())) // #nosec G703 -- as above
	}
	return syncDir(dir)
}

// syncDir writes the names in a folder to disk. Windows cannot, and does not need to.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir) // #nosec G304 G703 -- the user names the folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
