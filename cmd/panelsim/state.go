package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// stateFile holds the snapshots of all panels, by the names of the simulations. Panels that this run does not serve keep theirs. Without a path it holds nothing.
type stateFile struct {
	path   string
	stderr io.Writer
	mu     sync.Mutex
	parts  map[string]json.RawMessage
}

func readState(path string, stderr io.Writer) (*stateFile, error) {
	f := &stateFile{path: path, stderr: stderr, parts: map[string]json.RawMessage{}}
	if path == "" {
		return f, nil
	}
	b, err := os.ReadFile(path) // #nosec G304 -- the user names the file
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &f.parts); err != nil || f.parts == nil {
		return nil, fmt.Errorf("-state %s does not hold the state of panelsim", path)
	}
	return f, nil
}

// restore gives a panel its part of the file, if there is one.
func (f *stateFile) restore(s *simulation) error {
	part, ok := f.parts[s.name]
	if !ok {
		return nil
	}
	if err := s.panel.Restore(part); err != nil {
		return fmt.Errorf("-state %s: %w", f.path, err)
	}
	if is, asked := s.key(); asked != "" && asked != is {
		return fmt.Errorf("-state %s: its %s panel has another credential than the flag asks for; leave the flag out, or use another file", f.path, s.name)
	}
	return nil
}

// keep stores after a request. The panel has already answered, so a file that cannot be written is only reported.
func (f *stateFile) keep(s *simulation) {
	if err := f.store(s); err != nil {
		say(f.stderr, "panelsim: the state is not stored: %v\n", err)
	}
}

// store takes a snapshot of the panels and writes the file: afterwards it holds the old state or the new one.
func (f *stateFile) store(sims ...*simulation) error {
	if f.path == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range sims {
		part, err := s.panel.Snapshot()
		if err != nil {
			return err
		}
		f.parts[s.name] = part
	}
	b, err := json.Marshal(f.parts)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), f.path) // #nosec G703 -- the user names the file
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name())) // #nosec G703 -- as above
	}
	return nil
}
