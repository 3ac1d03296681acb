// kubelet-certificates is what a kubelet does with its certificate directory, and nothing else of a kubelet: a thin
// command over the kubelet's own packages, for the tests that hand a directory back and forth. build.sh compiles it
// inside the Kubernetes source tree.
//
//	kubelet-certificates current DIR PREFIX [CERT KEY]   the pair that its store takes; CERT and KEY are its fallback
//	kubelet-certificates update DIR PREFIX               stores the pair (PEM, chain and key) that comes on stdin
//	kubelet-certificates cut N DIR PREFIX                the same, killed before its Nth change to the directory; 0: never
//	kubelet-certificates load-config KUBECONFIG BOOTSTRAP DIR    what it uses of both when it starts
//	kubelet-certificates rotate KUBECONFIG BOOTSTRAP DIR NODE    its certificate manager, until it has rotated once
//
// Answers are JSON on stdout, one object a line, and never hold a key or a token. What fails is said on stderr.
package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/util/certificate"
	kubeletcertificate "k8s.io/kubernetes/pkg/kubelet/certificate"
	"k8s.io/kubernetes/pkg/kubelet/certificate/bootstrap"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 3 && args[0] == "current" {
		args = append(args, "", "")
	}
	switch {
	case len(args) == 5 && args[0] == "current":
		return current(args[1], args[2], args[3], args[4])
	case len(args) == 3 && args[0] == "update":
		return update(args[1], args[2])
	case len(args) == 4 && args[0] == "cut":
		return cut(args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "load-config":
		_, _, err := loadConfig(args[1], args[2], args[3])
		return err
	case len(args) == 5 && args[0] == "rotate":
		return rotate(args[1], args[2], args[3], args[4])
	}
	return errors.New("its commands are current, update, cut, load-config and rotate")
}

func answer(value interface{}) {
	json.NewEncoder(os.Stdout).Encode(value)
}

func answerCertificate(pair *tls.Certificate, path string) {
	answer(map[string]string{
		"serialNumber": fmt.Sprintf("%x", pair.Leaf.SerialNumber.Bytes()),
		"notAfter":     pair.Leaf.NotAfter.UTC().Format(time.RFC3339),
		"path":         path,
	})
}

func current(dir, prefix, cert, key string) error {
	store, err := certificate.NewFileStore(prefix, dir, dir, cert, key)
	if err != nil {
		return err
	}
	pair, err := store.Current()
	if err != nil {
		return err
	}
	answerCertificate(pair, store.CurrentPath())
	return nil
}

func update(dir, prefix string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	chain, key := text, text
	if at := strings.LastIndex(string(text), "-----BEGIN"); at >= 0 {
		chain, key = text[:at], text[at:]
	}
	store, err := certificate.NewFileStore(prefix, dir, dir, "", "")
	if err != nil {
		return err
	}
	pair, err := store.Update(chain, key)
	if err != nil {
		return err
	}
	answerCertificate(pair, store.CurrentPath())
	return nil
}

// The kubelet's buildKubeletClientConfig, as far as certificates are concerned.
func loadConfig(kubeconfig, bootstrapKubeconfig, dir string) (requests, client *restclient.Config, err error) {
	requests, client, err = bootstrap.LoadClientConfig(kubeconfig, bootstrapKubeconfig, dir)
	if err != nil {
		return nil, nil, err
	}
	answer(map[string]interface{}{
		"bootstraps":          requests.BearerToken != "",
		"server":              client.Host,
		"certificateFile":     client.CertFile,
		"keyFile":             client.KeyFile,
		"embeddedCertificate": len(client.CertData) > 0,
	})
	return requests, client, nil
}

func rotate(kubeconfig, bootstrapKubeconfig, dir, node string) error {
	requests, client, err := loadConfig(kubeconfig, bootstrapKubeconfig, dir)
	if err != nil {
		return err
	}
	manager, err := kubeletcertificate.NewKubeletClientCertificateManager(
		dir, types.NodeName(node), client.CertData, client.KeyData, client.CertFile, client.KeyFile,
		func(current *tls.Certificate) (kubernetes.Interface, error) {
			if current != nil {
				return kubernetes.NewForConfig(client)
			}
			return kubernetes.NewForConfig(requests)
		})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "kubelet-client-current.pem")
	before := manager.Current()
	if before != nil {
		answerCertificate(before, path)
	}
	manager.Start()
	for {
		if now := manager.Current(); now != nil && now != before {
			manager.Stop()
			answerCertificate(now, path)
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Linux's struct ptrace_syscall_info; op is 1 where a call begins.
type callInfo struct {
	op        uint8
	_         [3]byte
	arch      uint32
	ip, sp    uint64
	number    uint64
	arguments [6]uint64
	_         [2]uint64
}

// cut runs update under ptrace(2) and answers the changes that it made to the directory, in their order. The one
// before which it was killed is not made.
func cut(which, dir, prefix string) error {
	last, err := strconv.Atoi(which)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // who traces is a thread
	child := exec.Command("/proc/self/exe", "update", dir, prefix)
	child.Stdin, child.Stderr = os.Stdin, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := child.Start(); err != nil {
		return err
	}
	pid := child.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	const exitKill, sysGood, getCallInfo, allThreads = 0x100000, 1, 0x420e, 0x40000000
	if err := syscall.PtraceSetOptions(pid, exitKill|sysGood|syscall.PTRACE_O_TRACECLONE); err != nil {
		return err
	}
	changes := []string{}
	for thread, deliver := pid, 0; ; {
		if err := syscall.PtraceSyscall(thread, deliver); err != nil && err != syscall.ESRCH {
			return err
		}
		if thread, err = syscall.Wait4(-1, &status, allThreads, nil); err != nil {
			return err
		}
		if thread == pid && (status.Exited() || status.Signaled()) {
			answer(map[string]interface{}{"changes": changes, "killed": status.Signaled()})
			return nil
		}
		deliver = 0
		switch signal := status.StopSignal(); {
		case !status.Stopped() || signal == syscall.SIGTRAP || signal == syscall.SIGSTOP:
		case signal == syscall.SIGTRAP|0x80:
			var call callInfo
			_, _, failed := syscall.Syscall6(syscall.SYS_PTRACE, getCallInfo, uintptr(thread),
				unsafe.Sizeof(call), uintptr(unsafe.Pointer(&call)), 0, 0)
			if failed != 0 {
				return failed
			}
			if name := change(pid, dir, call); name != "" {
				changes = append(changes, name)
				if len(changes) == last {
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		default:
			deliver = int(signal)
		}
	}
}

// change names a system call that is about to change the directory.
func change(pid int, dir string, call callInfo) string {
	if call.op != 1 {
		return ""
	}
	switch call.number {
	case syscall.SYS_MKDIRAT:
		return "mkdir"
	case syscall.SYS_SYMLINKAT:
		return "symlink"
	case syscall.SYS_UNLINKAT:
		return "unlink"
	case syscall.SYS_RENAMEAT:
		return "rename"
	case syscall.SYS_OPENAT:
		if call.arguments[2]&syscall.O_CREAT != 0 {
			return "create"
		}
	case syscall.SYS_WRITE:
		file, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, call.arguments[0]))
		if strings.HasPrefix(file, dir+"/") {
			return "write"
		}
	}
	return ""
}
