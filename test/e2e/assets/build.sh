#!/usr/bin/env bash
# Builds the Kubernetes that the end-to-end suite runs when KUBEBUILDER_ASSETS names none: etcd,
# kube-apiserver, kube-controller-manager and kubectl 1.20.2, from Debian 12's own packages; and in the same tree
# kubelet-certificates, a program of ours over the kubelet's packages (its source, beside this file, tells more).
#
#   test/e2e/assets/build.sh [FOLDER]
#
# FOLDER defaults to ${XDG_CACHE_HOME:-$HOME/.cache}/kube-cert-rotation/kubernetes-1.20.2. It appears whole or
# not at all, and a second call finds it there; where only our own program is missing or has changed, the others are
# kept. Nothing is installed: the Go compiler and every other package is unpacked beside the build and removed with
# it. What must be installed is what apt-get source needs: dpkg-dev and make (installed on the way when the caller is
# root).
#
# The last line on stdout is the folder; progress goes to stderr.
set -Eeuo pipefail

readonly version=1.20.2 suite=bookworm keyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly components=(kube-apiserver kube-controller-manager) ours=kubelet-certificates
readonly ours_source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$ours.go
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/kube-cert-rotation/kubernetes-$version}

say() { printf '[kubernetes %s, %3d s] %s\n' "$version" "$SECONDS" "$*" >&2; }
fail() { say "error: $*"; exit 1; }

complete() {
  local program
  for program in etcd kubectl "${components[@]}" "$ours"; do [[ -x $folder/$program ]] || return 1; done
  cmp --silent "$ours_source" "$folder/$ours.go"
}
if complete; then echo "$folder"; exit 0; fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
  fail "this machine is not Debian (no apt-get): set KUBEBUILDER_ASSETS to a folder with etcd," \
    "kube-apiserver and kube-controller-manager instead"
[[ -r $keyring ]] ||
  fail "this machine is not Debian ($keyring is missing): set KUBEBUILDER_ASSETS to a folder with etcd," \
    "kube-apiserver and kube-controller-manager instead"
if ! command -v dpkg-source >/dev/null || ! command -v make >/dev/null; then
  (( EUID == 0 )) || fail "dpkg-source or make is missing: run 'sudo apt-get install dpkg-dev make' and try again"
  say 'installing dpkg-dev and make'
  { apt-get update && apt-get install --yes --no-install-recommends dpkg-dev make; } >&2
fi

mkdir -p "$(dirname "$folder")"
folder=$(cd "$(dirname "$folder")" && pwd)/$(basename "$folder")
readonly folder log=$folder.build.log

# One build at a time; whoever waited finds the work done. What a killed build left goes first.
exec 9>"$folder.lock"
flock --nonblock 9 || { say 'another build is running; waiting for it'; flock 9; }
if complete; then echo "$folder"; exit 0; fi
rm -rf "$folder".build.??????
build=$(mktemp -d "$folder.build.XXXXXX")
readonly build
running=
cleanup() {
  [[ -z $running ]] || kill -TERM -- "-$running" 2>/dev/null || true
  rm -rf "$build"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
# In a process group of its own and waited for, so that a signal ends the step and not only this script;
# the lock is not handed on.
run() {
  set -m
  nice "$@" >>"$log" 2>&1 </dev/null 9>&- &
  set +m
  running=$!
  wait "$running" || { tail -n 30 "$log" >&2; fail "this failed: $* (the whole log: $log)"; }
  running=
}
: >"$log"

# apt with lists, archives and sources of our own, so that the machine's are left as they are.
mkdir -p "$build"/apt/{lists,archives}/partial "$build"/{packages,root,source,bin,out}
readonly own=(-o "Dir::State::lists=$build/apt/lists" -o "Dir::Cache=$build/apt" -o 'APT::Sandbox::User=root')
readonly bookworm=(-o "Dir::Etc::sourcelist=$build/apt/sources.list" -o 'Dir::Etc::sourceparts=/dev/null' "${own[@]}")

# Where the machine gets Debian itself from: component main of a suite that is neither an update nor security.
mirror() {
  apt-get "$@" indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Identifier: Packages' |
    awk '$3 == "main" && $2 !~ /[-\/]/ && $4 == "Debian" { print $1; exit }'
}
say "looking up Debian's source package"
uri=$(mirror)
if [[ -z $uri ]]; then # apt knows its targets only once it has updated
  run apt-get update "${own[@]}"
  uri=$(mirror "${own[@]}")
fi
[[ -n $uri ]] || fail "apt has no entry for Debian's main component: this machine is not Debian, or its sources are elsewhere"
for kind in deb deb-src; do
  echo "$kind [signed-by=$keyring] $uri $suite main"
done >"$build/apt/sources.list"
run apt-get update "${bookworm[@]}"

source=$(apt-cache showsrc "${bookworm[@]}" --only-source kubernetes | sed -n 's/^Version: //p' | grep -F "$version" | tail -n 1) ||
  fail "Debian $suite has no source package kubernetes $version"
go=$(apt-cache depends "${bookworm[@]}" golang-go | sed -n 's/.*Depends: \(golang-[0-9.]*\)-go$/\1/p')

say "downloading kubernetes $source, $go, etcd-server"
cd "$build/packages"
run apt-get download "${bookworm[@]}" "$go-go" "$go-src" golang-github-modern-go-reflect2-dev etcd-server kubernetes-client
for package in *.deb; do run dpkg-deb --extract "$package" "$build/root"; done
cd "$build/source"
run apt-get source "${bookworm[@]}" "kubernetes=$source"

# GOPATH mode wants the tree to be reachable as k8s.io/kubernetes.
mkdir -p "$build/gopath/src/k8s.io"
mv "$build"/source/kubernetes-*/ "$build/gopath/src/k8s.io/kubernetes"
cd "$build/gopath/src/k8s.io/kubernetes"

# The vendored reflect2 1.0.1 is broken under Go 1.18 and later: the API server panics on the second kind of
# JSON object that it decodes. 1.0.2 cures it.
rm -r vendor/github.com/modern-go/reflect2
cp -r "$build/root/usr/share/gocode/src/github.com/modern-go/reflect2" vendor/github.com/modern-go/

# The makefile copies its results with rsync, which is one more package to need; cp does here.
printf '#!/bin/sh\nexec cp -p "$2" "$3"\n' >"$build/bin/rsync"
chmod +x "$build/bin/rsync"

mkdir "cmd/$ours"
cp "$ours_source" "cmd/$ours/main.go"
targets=("cmd/$ours")
for program in "${components[@]}"; do
  if [[ -x $folder/$program ]]; then cp -p "$folder/$program" "$build/out/"; else targets+=("cmd/$program"); fi
done

# make, because it generates the OpenAPI code that a plain go build misses.
say "compiling ${targets[*]} (all of them: four to nine minutes on two cores)"
run env -i HOME="$build" LANG=C GOPATH="$build/gopath" GOCACHE="$build/gocache" GO111MODULE=off CGO_ENABLED=0 \
  PATH="$build/bin:$build/root/usr/lib/go-${go#golang-}/bin:/usr/local/bin:/usr/bin:/bin" \
  make "WHAT=${targets[*]}" GOLDFLAGS='-s -w -buildid='

for target in "${targets[@]}"; do
  cp -L "_output/bin/${target#cmd/}" "$build/out/"
done
cp "$ours_source" "$build/out/"
cp "$build/root/usr/bin/etcd" "$build/root/usr/bin/kubectl" "$build/out/"
for program in "${components[@]}"; do
  [[ $("$build/out/$program" --version) == "Kubernetes v$version" ]] || fail "$program does not start or is not $version"
done
"$build/out/etcd" --version >>"$log" || fail 'etcd does not start'

# A moment, and those who use the programs that were there go on with them.
[[ ! -e $folder ]] || mv "$folder" "$build/before"
mv "$build/out" "$folder"
rm -f "$log"
say "done: $folder ($(du -sh "$folder" | cut -f1))"
echo "$folder"
