import path from 'node:path';
import {gzipSync} from 'node:zlib';
import type {Policy} from '../policy/policy.ts';
import {printHead, SCRIPT_FILE} from './shell.ts';

/** The line that ends the script in the user data. */
const END = 'FW-WIZARD-SCRIPT';

/** Most providers take no more bytes of user data than so many, and some less: Amazon EC2 16,384. */
export const MOST_USER_DATA = 32_768;

/**
 * The script as user data of cloud-init(1), which runs it when the machine boots for the first time, and
 * confirms it at once: nobody is logged in then. What `bootcmd` says is run before the services of the machine
 * start (cloud-init.service is before sshd.service, and on Debian and Ubuntu before sysinit.target), but has
 * no package that is yet to be installed; `write_files` comes after it, and `runcmd` when all services run.
 *
 * The script is compressed: providers limit user data. One that is cut off does nothing (`is_whole`).
 */
export function printCloudInit(policy: Policy, script: string): string {
	return `#cloud-config
${printHead(policy)}
#
# Where the image has iptables, the rules are loaded at the first boot before sshd and other services start.
# Where it has not, iptables is installed when these already run, and the rules are loaded after that. Until
# then nothing is filtered: have the provider's firewall filter, or use an image with iptables.
# A later boot loads the rules before the network comes up (fw-wizard.service).
#
# The script in it is that of fw-wizard export shell. To read it here: base64 -d | gzip -dc
bootcmd:
  - |
    [ -e ${SCRIPT_FILE} ] || {
    mkdir -p ${path.dirname(SCRIPT_FILE)}
    base64 -d <<'${END}' | gzip -dc >${SCRIPT_FILE}.new
${indent(compress(script), 4)}    ${END}
    chmod 700 ${SCRIPT_FILE}.new && mv ${SCRIPT_FILE}.new ${SCRIPT_FILE}
    if command -v iptables-restore >/dev/null; then
    sh ${SCRIPT_FILE} && sh ${SCRIPT_FILE} keep
    else
    echo 'fw-wizard: iptables is not installed yet: nothing is filtered until it is' >&2
    fi
    }
packages:
  - iptables
runcmd:
  - [sh, -c, 'sh ${SCRIPT_FILE} status || { sh ${SCRIPT_FILE} && sh ${SCRIPT_FILE} keep; }']
`;
}

/** What `base64 -d | gzip -dc` gives the text of, in lines. */
function compress(text: string): string {
	return gzipSync(text, {level: 9})
		.toString('base64')
		.replaceAll(/.{1,76}/g, '$&\n');
}

/** The text as a literal block of YAML 1.2 (8.1.2). It must end with one newline, as a script does. */
function indent(text: string, columns: number): string {
	return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}
