//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package provisioning

import (
	"errors"
	"os"
	"syscall"
)

func lockFile(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the name is a hash in the store's own folder
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, err
	}
	return func() {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing alone leaves the lock to a child process that is just being started
		_ = f.Close()
	}, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) // #nosec G304 -- the store's own folder
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
