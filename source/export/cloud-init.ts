import path from 'node:path';
import {type Policy, policyFlags} from '../policy/policy.ts';

/** The place of the script of `export shell` on the machine. */
export const SCRIPT_FILE = '/usr/local/sbin/fw-wizard-firewall';

/** The line that ends the script in the user data; in the script itself are others. */
const END = 'FW-WIZARD-SCRIPT';

/**
 * The script as user data of cloud-init(1), which runs it when the machine boots for the first time, and
 * confirms it at once: nobody is logged in then. What `bootcmd` says is run before the services of the machine
 * start (cloud-init.service is before sshd.service, and on Debian and Ubuntu before sysinit.target), but has
 * no package that is yet to be installed; `write_files` comes after it, and `runcmd` when all services run.
 */
export function printCloudInit(policy: Policy, script: string): string {
	return `#cloud-config
${head(policy)}
#
# Where the image has iptables, the rules are loaded at the first boot before sshd and other services start.
# Where it has not, iptables is installed when these already run, and the rules are loaded after that. Until
# then nothing is filtered: have the provider's firewall filter, or use an image with iptables.
# A later boot loads the rules before the network comes up (fw-wizard.service).
bootcmd:
  - |
    [ -e ${SCRIPT_FILE} ] || {
    mkdir -p ${path.dirname(SCRIPT_FILE)}
    cat >${SCRIPT_FILE}.new <<'${END}'
${indent(script, 4)}    ${END}
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

function head(policy: Policy): string {
	return `# Made by fw-wizard: a firewall with iptables, for IPv4 and IPv6.
# ${policyFlags(policy).join(' ')}`;
}

/** The text as a literal block of YAML 1.2 (8.1.2). It must end with one newline, as a script does. */
function indent(text: string, columns: number): string {
	return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}
