package lambda

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

// PlatformError says that a bootstrap was built for another kind of machine.
type PlatformError struct {
	Bootstrap string // its path
	Built     string // its system and architecture, by Go's names if Go has them, such as linux/arm64
}

func (e *PlatformError) Error() string {
	return fmt.Sprintf("the bootstrap %s is built for %s, and this machine is %s", e.Bootstrap, e.Built, thisMachine)
}

const thisMachine = runtime.GOOS + "/" + runtime.GOARCH

// architectures are Go's names of machines.
var architectures = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm", elf.EM_RISCV: "riscv64",
	elf.EM_S390: "s390x", elf.EM_LOONGARCH: "loong64",
}

// magics are the first bytes of executables that are not ELF.
var magics = []struct{ bytes, format string }{
	{"\xcf\xfa\xed\xfe", "macOS (Mach-O)"}, {"\xca\xfe\xba\xbe", "macOS (Mach-O)"}, {"MZ", "Windows (PE)"},
}

// checkPlatform returns a *PlatformError if the executable cannot run on this machine. It reads only the beginning of
// the file. It accepts every script, because the system decides what runs a script.
func checkPlatform(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the bootstrap: %w", err)
	}
	defer file.Close() // it is only read
	head := make([]byte, 64)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the bootstrap: %w", err)
	}
	head = head[:n]
	var built string
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return nil
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		if built, err = elfPlatform(file); err != nil {
			return fmt.Errorf("the bootstrap %s is no whole executable: %w", path, err)
		}
	default:
		for _, magic := range magics {
			if bytes.HasPrefix(head, []byte(magic.bytes)) {
				built = magic.format
			}
		}
		if built == "" {
			return fmt.Errorf("the bootstrap %s is neither an executable of any system nor a script", path)
		}
		if runtime.GOOS == "darwin" && built == "macOS (Mach-O)" {
			return nil
		}
	}
	if built != thisMachine {
		return &PlatformError{Bootstrap: path, Built: built}
	}
	return nil
}

// elfPlatform returns the platform of an ELF file. A file that names no system counts as a Linux file.
func elfPlatform(file io.ReaderAt) (string, error) {
	f, err := elf.NewFile(file)
	if err != nil {
		return "", err
	}
	system := "linux"
	if f.OSABI != elf.ELFOSABI_NONE && f.OSABI != elf.ELFOSABI_LINUX {
		system = f.OSABI.String()
	}
	architecture, known := architectures[f.Machine]
	if !known {
		architecture = f.Machine.String()
	}
	return system + "/" + architecture, nil
}
