//go:build windows

package provisioning

import (
	"errors"
	"syscall"
)

// lockFile opens the file for this process alone; Windows closes it when the process ends.
func lockFile(name string) (unlock func(), err error) {
	const sharingViolation = syscall.Errno(32)
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = syscall.CloseHandle(h) }, nil
}

// syncDir does nothing: Windows has no handle of a folder to flush.
func syncDir(string) error { return nil }
