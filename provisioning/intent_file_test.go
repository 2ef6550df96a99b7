package provisioning_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// TestMain lets the test binary be a second process, which is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PROVISIONING_TEST_FOLDER"); dir != "" {
		otherProcess(dir, os.Getenv("PROVISIONING_TEST_TASK"))
	}
	os.Exit(m.Run())
}

func otherProcess(dir, task string) {
	store, err := provisioning.NewFileIntents(dir)
	if err == nil {
		_, err = store.Lock(context.Background(), "panel/7")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	for i := planned; ; {
		if task == "save" {
			i.Marked = !i.Marked
			i.UUID = strings.Repeat("x", 1+len(i.UUID)%5000)
			if err := store.Save(context.Background(), i); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		} else {
			time.Sleep(time.Minute)
		}
	}
}

// startProcess starts a second process on the folder and returns when it holds the lock of panel/7.
func startProcess(t *testing.T, dir, task string) (kill func()) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "PROVISIONING_TEST_FOLDER="+dir, "PROVISIONING_TEST_TASK="+task)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "locked\n", line)
	return func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
	}
}

func fileStore(t *testing.T, dir string) *provisioning.FileIntents {
	t.Helper()
	store, err := provisioning.NewFileIntents(dir)
	require.NoError(t, err)
	return store
}

func TestFileIntentsAreSharedByProcesses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "intents")
	one, two := fileStore(t, dir), fileStore(t, dir)
	require.NoError(t, one.Save(t.Context(), planned))
	got, err := two.Load(t.Context(), "order-1")
	require.NoError(t, err)
	assert.Equal(t, planned, got)

	unlock, err := one.Lock(t.Context(), "panel/7")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = two.Lock(ctx, "panel/7")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	unlock, err = two.Lock(t.Context(), "panel/7")
	require.NoError(t, err)
	unlock()
}

func TestAKilledProcessGivesItsLockBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := startProcess(t, dir, "hold")
	store := fileStore(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := store.Lock(ctx, "panel/7")
	require.ErrorIs(t, err, context.DeadlineExceeded, "the other process holds it")
	kill()
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	unlock, err := store.Lock(ctx, "panel/7")
	require.NoError(t, err)
	unlock()
}

func TestAProcessKilledWhileItSavesLeavesTheOldStateOrTheNewOne(t *testing.T) {
	t.Parallel()
	for range 5 {
		dir := t.TempDir()
		kill := startProcess(t, dir, "save")
		store := fileStore(t, dir)
		require.Eventually(t, func() bool {
			_, err := store.Load(t.Context(), "order-1")
			return err == nil
		}, 10*time.Second, time.Millisecond)
		kill()
		got, err := store.Load(t.Context(), "order-1")
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("x", len(got.UUID)), got.UUID)
		assert.Equal(t, len(got.UUID)%2 == 1, got.Marked, "two fields of one state")
		open, err := store.Open(t.Context(), "panel/7")
		require.NoError(t, err)
		assert.Len(t, open, 1)
		got.UUID = "saved after the crash"
		require.NoError(t, store.Save(t.Context(), got))
	}
}

func TestWhatACrashLeftBehindIsIgnored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := fileStore(t, dir)
	require.NoError(t, store.Save(t.Context(), planned))
	half := `{"key":"order-1","scope":"panel/7","id":"9`
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".order-1.intent.json.123"), []byte(half), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".order-2.intent.json.456"), []byte(half), 0o600))
	got, err := store.Load(t.Context(), "order-1")
	require.NoError(t, err)
	assert.Equal(t, planned, got)
	_, err = store.Load(t.Context(), "order-2")
	require.ErrorIs(t, err, provisioning.NotFound)
	open, err := store.Open(t.Context(), "panel/7")
	require.NoError(t, err)
	assert.Len(t, open, 1)
}

func TestACorruptedFileIsNotAMissingOne(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "cut": `{"key":"order-1"`, "zeros": "\x00\x00\x00\x00", "another key": `{"key":"order-2","scope":"panel/7"}`, "not an object": `[]`,
		"a wrong type": `{"key":"order-1","id":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			store := fileStore(t, dir)
			require.NoError(t, store.Save(t.Context(), planned))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "order-1.intent.json"), []byte(content), 0o600))
			panel := &toyPanel{}
			calls := map[string]func() error{
				"Load": func() error { _, err := store.Load(t.Context(), "order-1"); return err },
				"Open": func() error { _, err := store.Open(t.Context(), "panel/7"); return err },
				"Save": func() error { return store.Save(t.Context(), planned) },
				"an order of its key": func() error {
					_, err := provisioning.CreateOnce(t.Context(), &toyProvider{panel}, store, order("order-1"), provisioning.CreateOptions{})
					return err
				},
				"an order of another key": func() error {
					_, err := provisioning.CreateOnce(t.Context(), &toyProvider{panel}, store, order("order-9"), provisioning.CreateOptions{})
					return err
				},
				"Retire": func() error { return provisioning.Retire(t.Context(), store, "order-1") },
			}
			for call, do := range calls {
				err := do()
				require.ErrorContains(t, err, "intents: file of key order-1", call)
				require.NotErrorIs(t, err, provisioning.NotFound, call)
			}
			assert.Empty(t, panel.all(), "nothing was created")
			b, err := os.ReadFile(filepath.Join(dir, "order-1.intent.json"))
			require.NoError(t, err)
			assert.Equal(t, content, string(b), "it is left for a person to mend")
		})
	}
}

func TestFileIntentsAreReadableByTheirUserOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	dir := filepath.Join(t.TempDir(), "intents")
	store := fileStore(t, dir)
	unlock, err := store.Lock(t.Context(), "panel/7")
	require.NoError(t, err)
	defer unlock()
	require.NoError(t, store.Save(t.Context(), planned))
	require.NoError(t, store.Save(t.Context(), planned))

	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 2, "the intent and the lock, and nothing temporary: %v", files)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
}

func TestFileIntentsSayWhatTheyCannotDo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := provisioning.NewFileIntents(file)
	require.ErrorContains(t, err, "intents: ")

	dir := filepath.Join(t.TempDir(), "gone")
	store := fileStore(t, dir)
	require.NoError(t, os.Remove(dir))
	require.ErrorContains(t, store.Save(t.Context(), planned), "intents: save key order-1")
	_, err = store.Lock(t.Context(), "panel/7")
	require.ErrorContains(t, err, "intents: lock: ")
	_, err = store.Open(t.Context(), "panel/7")
	require.ErrorContains(t, err, "intents: ")
}
