import * as k8s from '@kubernetes/client-node'
import { suite } from '../../helper/index.js'
import { testClientNode } from './client-node.js'

testClientNode(suite('client-node 1.x'), k8s)
