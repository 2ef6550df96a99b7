//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package provisioning

// lockFile refuses: without a lock that ends with its process the promise of FileIntents cannot be kept.
func lockFile(string) (unlock func(), err error) {
	return nil, unsupported("FileIntents on this operating system")
}

func syncDir(string) error { return nil }
