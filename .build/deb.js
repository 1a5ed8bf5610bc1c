// Makes Debian packages of the stand-alone binaries that binary.js has made: nothing in them runs by itself.
// https://www.debian.org/doc/debian-policy/
import {execFileSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	lutimesSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {manifest} from './bundle.js';
import {RELEASE, releaseTime} from './release.js';

/** Debian's name of each architecture. */
const ARCHITECTURES = {x64: 'amd64', arm64: 'arm64'};
const VERSION = `${manifest.version}-1`;
const MAINTAINER = 'The fw-wizard developers <fw-wizard@users.noreply.github.com>';
const DOC = 'usr/share/doc/fw-wizard';

/** What lintian(1) finds, and why it stays. */
const OVERRIDES = `# Node.js as its project publishes it, which has the program in a note behind its code.
fw-wizard: unstripped-binary-or-object [usr/bin/fw-wizard]
fw-wizard: hardening-no-pie [usr/bin/fw-wizard]
fw-wizard: hardening-no-fortify-functions [usr/bin/fw-wizard]
fw-wizard: spelling-error-in-binary *
# Node.js brings the versions of these libraries that it was tested with: the SBOM of a release lists them.
fw-wizard: embedded-library *
# The licences stand as each project gives them, so that they can be compared.
fw-wizard: copyright-file-contains-full-apache-2-license
fw-wizard: copyright-not-using-common-license-for-gpl
fw-wizard: old-fsf-address-in-copyright-file
# No package of Debian, which has no bug for it.
fw-wizard: initial-upload-closes-no-bugs *
`;

/** Those that the command names, or all. @param {string} name */
const isWanted = (name) => process.argv.length === 2 || process.argv.includes(name);

/** @param {string} architecture of Debian @param {number} size KiB */
const controlOf = (architecture, size) => `Package: fw-wizard
Version: ${VERSION}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: iptables (>= 1.6), libatomic1, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 6)
Recommends: conntrack, iproute2
Section: admin
Priority: optional
Homepage: ${manifest.homepage}
Description: wizard for a host firewall that proves itself
 A wizard in the terminal, and commands for scripts, that give a Linux machine
 a host firewall with iptables, for IPv4 and IPv6. The rules are tried with
 packets in a copy of the machine before they are loaded, and the old rules
 are restored unless a new login confirms the change.
 .
 Nothing changes when the package is installed or removed: rules that were
 applied stay active without the program. Remove them with
 "fw-wizard undo --all" before the package.
`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'fww-deb-'));
process.on('exit', () => rmSync(folder, {recursive: true}));
const debs = Object.entries(ARCHITECTURES).flatMap(([name, architecture]) => {
	const binary = `${RELEASE}/fw-wizard-linux-${name}`;
	return isWanted(name) && existsSync(binary) ? makeDeb(binary, architecture) : [];
});
if (debs.length === 0) {
	process.stderr.write(`There is no binary in ${RELEASE}: npm run build:binary\n`);
	process.exit(3);
}

const sums = execFileSync('sha256sum', ['--', ...debs], {cwd: RELEASE, encoding: 'utf8'});
const before = readFileSync(`${RELEASE}/SHA256SUMS`, 'utf8').split(/^/m);
writeFileSync(
	`${RELEASE}/SHA256SUMS`,
	[...before.filter((line) => !line.endsWith('.deb\n')), sums].join(''),
);

/**
 * @param {string} binary
 * @param {string} architecture of Debian
 * @returns {string} the name of the package
 */
function makeDeb(binary, architecture) {
	const root = path.join(folder, architecture);
	/** @param {string} file @param {string} text */
	const write = (file, text) => {
		mkdirSync(path.join(root, path.dirname(file)), {recursive: true});
		writeFileSync(path.join(root, file), text);
	};
	const read = (/** @type {string} */ name) => readFileSync(path.join(RELEASE, name), 'utf8');
	write('usr/share/bash-completion/completions/fw-wizard', read('completions/fw-wizard.bash'));
	write('usr/share/zsh/vendor-completions/_fw-wizard', read('completions/_fw-wizard'));
	write('usr/share/fish/vendor_completions.d/fw-wizard.fish', read('completions/fw-wizard.fish'));
	write('usr/share/man/man8/fw-wizard.8', read('fw-wizard.8'));
	write(`${DOC}/changelog`, readFileSync('.github/changelog.md', 'utf8'));
	write(`${DOC}/changelog.Debian`, debianChangelog());
	write(`${DOC}/copyright`, read('fw-wizard.licences.txt'));
	write('usr/share/lintian/overrides/fw-wizard', OVERRIDES);
	const compressed = [
		`${DOC}/changelog`,
		`${DOC}/changelog.Debian`,
		'usr/share/man/man8/fw-wizard.8',
	];
	execFileSync('gzip', ['-9n', ...compressed], {cwd: root});
	mkdirSync(path.join(root, 'usr/bin'));
	copyFileSync(binary, path.join(root, 'usr/bin/fw-wizard'));

	const files = readdirSync(root, {recursive: true, encoding: 'utf8'}).sort();
	const plain = files.filter((file) => statSync(path.join(root, file)).isFile());
	const size = plain.reduce((sum, file) => sum + statSync(path.join(root, file)).size, 0);
	write('DEBIAN/control', controlOf(architecture, Math.ceil(size / 1024)));
	write('DEBIAN/md5sums', execFileSync('md5sum', ['--', ...plain], {cwd: root, encoding: 'utf8'}));
	for (const file of ['.', ...files, 'DEBIAN', 'DEBIAN/control', 'DEBIAN/md5sums']) {
		const whole = path.join(root, file);
		const runs = file === 'usr/bin/fw-wizard' || statSync(whole).isDirectory();
		chmodSync(whole, runs ? 0o755 : 0o644);
		lutimesSync(whole, releaseTime(), releaseTime());
	}

	const name = `fw-wizard_${VERSION}_${architecture}.deb`;
	// Of the levels of xz the fastest: 39 MB, where the slowest makes 34 MB in ten times the time.
	execFileSync(
		'dpkg-deb',
		['-Zxz', '-z0', '--root-owner-group', '--build', root, path.resolve(RELEASE, name)],
		{
			stdio: ['ignore', 'ignore', 'inherit'],
			env: {...process.env, SOURCE_DATE_EPOCH: `${releaseTime()}`},
		},
	);
	return name;
}

/** What dpkg(1) calls a changelog: one entry, of this version. */
function debianChangelog() {
	const date = new Date(releaseTime() * 1000).toUTCString().replace('GMT', '+0000');
	return `fw-wizard (${VERSION}) stable; urgency=medium

  * Release ${manifest.version}: see changelog.gz.

 -- ${MAINTAINER}  ${date}
`;
}
