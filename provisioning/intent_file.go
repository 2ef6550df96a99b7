package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// FileIntents keeps one JSON file for each key in a folder. Files are written to disk and renamed into place, so that a crash leaves the old state or the new
// one; locks are locks of the operating system, so that a killed process gives them back. It serves every process of one machine; the folder must be on a
// local file system with hard links, and its lock files must not be removed while a program runs. A file that cannot be read stops the orders of every owner
// until somebody mends it: it may be the record of a create that was sent.
type FileIntents struct{ dir string }

// NewFileIntents makes the folder if needed, readable by the user only.
func NewFileIntents(dir string) (*FileIntents, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("intents: %w", err)
	}
	return &FileIntents{dir: dir}, nil
}

const intentSuffix = ".intent.json"

// Lock implements Intents. It looks every 20 ms while another process holds the lock.
func (f *FileIntents) Lock(ctx context.Context, scope string) (func(), error) {
	sum := sha256.Sum256([]byte(scope))
	name := filepath.Join(f.dir, hex.EncodeToString(sum[:8])+".lock")
	for {
		unlock, err := lockFile(name)
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("intents: lock: %w", err)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

var errLocked = errors.New("locked by another process")

// Load implements Intents.
func (f *FileIntents) Load(_ context.Context, key string) (Intent, error) {
	if err := checkKey(key); err != nil {
		return Intent{}, err
	}
	return f.read(key + intentSuffix)
}

func (f *FileIntents) read(name string) (Intent, error) {
	key := strings.TrimSuffix(name, intentSuffix)
	b, err := os.ReadFile(filepath.Join(f.dir, name)) // #nosec G304 -- the name is a checked key
	if errors.Is(err, os.ErrNotExist) {
		return Intent{}, noIntent(key)
	}
	if err != nil {
		return Intent{}, fmt.Errorf("intents: %w", err)
	}
	var i Intent
	if err := json.Unmarshal(b, &i); err != nil {
		return Intent{}, fmt.Errorf("intents: file of key %s: %w", key, err)
	}
	if i.Key != key {
		return Intent{}, fmt.Errorf("intents: file of key %s holds key %q", key, shorten(i.Key, 40))
	}
	return i, nil
}

// Save implements Intents. A Key's first file is linked into place, which fails when another process was faster; from then on the scope of the Key is fixed,
// and with it the lock.
func (f *FileIntents) Save(ctx context.Context, i Intent) error {
	old, err := f.Load(ctx, i.Key)
	place := os.Rename
	switch {
	case errors.Is(err, NotFound):
		place = os.Link
	case err != nil:
		return err
	default:
		if err := i.MayReplace(old); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("intents: %w", err)
	}
	err = writeFile(f.dir, i.Key+intentSuffix, b, place)
	if errors.Is(err, os.ErrExist) {
		return &Error{Kind: Conflict, Op: "Save", Message: "key " + i.Key + " was stored by another process at the same moment"}
	}
	if err != nil {
		return fmt.Errorf("intents: save key %s: %w", i.Key, err)
	}
	return nil
}

func writeFile(dir, name string, b []byte, place func(from, to string) error) (err error) {
	tmp, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // after a rename there is nothing left to remove
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err = place(tmp.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// Open implements Intents.
func (f *FileIntents) Open(_ context.Context, scope string) ([]Intent, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("intents: %w", err)
	}
	var open []Intent
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), intentSuffix) {
			continue
		}
		i, err := f.read(e.Name())
		if err != nil {
			return nil, err
		}
		if i.Scope == scope && i.open() {
			open = append(open, i)
		}
	}
	return open, nil
}
