import {type Policy, policyFlags} from '../policy/policy.ts';

/** The place of the script of `export shell` on the machine. */
const SCRIPT_FILE = '/usr/local/sbin/fw-wizard-firewall';

/**
 * The script as user data of cloud-init(1), which writes and runs it when the machine boots for the
 * first time, and confirms it at once: nobody is logged in then.
 */
export function printCloudInit(policy: Policy, script: string): string {
	return `#cloud-config
${head(policy)}
packages:
  - iptables
write_files:
  - path: ${SCRIPT_FILE}
    owner: root:root
    permissions: '0700'
    content: |
${indent(script, 6)}runcmd:
  - [sh, -c, 'sh ${SCRIPT_FILE} && sh ${SCRIPT_FILE} keep']
`;
}

/**
 * The script as a playbook of Ansible, for all hosts of the inventory. It confirms the rules only over
 * a connection that was not open before; without such a one the script rolls back.
 */
export function printAnsible(policy: Policy, script: string): string {
	return `---
${head(policy)}
- name: A host firewall with iptables
  hosts: all
  become: true
  tasks:
    - name: Install iptables
      ansible.builtin.package:
        name: iptables

    - name: Write the script
      ansible.builtin.copy:
        dest: ${SCRIPT_FILE}
        owner: root
        group: root
        mode: '0700'
        # What looks like a template in it is none.
        content: !unsafe |
${indent(script, 10)}
    - name: See whether it is kept and loaded
      ansible.builtin.command:
        argv: [sh, ${SCRIPT_FILE}, status]
      register: firewall
      changed_when: false
      failed_when: firewall.rc not in [0, 1]
      check_mode: false

    - name: Load it, for the time being
      ansible.builtin.command:
        argv: [sh, ${SCRIPT_FILE}]
      when: firewall.rc == 1
      changed_when: true

    - name: Close the connection
      ansible.builtin.meta: reset_connection

    - name: Log in anew
      ansible.builtin.wait_for_connection:
        timeout: 30

    - name: Keep it
      ansible.builtin.command:
        argv: [sh, ${SCRIPT_FILE}, keep]
      when: firewall.rc == 1
      changed_when: true
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
